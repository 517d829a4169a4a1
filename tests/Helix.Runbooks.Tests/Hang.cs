namespace Helix.Runbooks.Tests;

/// <summary>When a test gives up on what does not end. It tells a hang from a busy machine and nothing else: no test measures with it.</summary>
static class Hang
{
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(15);
}
