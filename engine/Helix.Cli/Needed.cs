using Helix.Runbooks.Steps;

namespace Helix.Cli;

/// <summary>What a command must have although the option looks optional.</summary>
static class Needed
{
    /// <exception cref="RunbookException">Missing or empty.</exception>
    public static string Reason(string? given, string toDoWhat) => !string.IsNullOrWhiteSpace(given)
        ? given.Trim()
        : throw new RunbookException($"A reason is needed to {toDoWhat}.", "Add `--reason 'what made you do it'`; it goes into the record.");
}
