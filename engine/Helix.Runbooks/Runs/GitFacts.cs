using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>The last commit of a runbook and its author, where git knows the file.</summary>
public static class GitFacts
{
    public static (string? Commit, string? Author) Of(string file)
    {
        try
        {
            var tool = new Tool(new ProcessLauncher(new ProcessSettings { Masker = new Masker() }), "git", CancellationToken.None)
            {
                Arguments = ["log", "-1", "--format=%H%n%an <%ae>", "--", file],
                WorkingDirectory = Path.GetDirectoryName(file),
            };
            var lines = tool.Quietly().Run().GetAwaiter().GetResult().Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            return lines.Length == 2 ? (lines[0], lines[1]) : (null, null);
        }
        catch (StepFailedException)
        {
            return (null, null);
        }
    }
}
