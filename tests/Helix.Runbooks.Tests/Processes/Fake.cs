using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Processes;

/// <summary>The dummy program as a tool.</summary>
static class Fake
{
    public static string Path => Programs.FakeTool;

    public static Tool Tool(TestHost host, params IEnumerable<string> arguments) =>
        host.Context().Tool(Path, arguments);
}
