using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Neo4j;

/// <summary>What a failed call of the admin tool means: its own words point at the wrong thing now and then.</summary>
static class AdminFailure
{
    const int Killed = 137;

    static readonly string[] Refusals = ["unmatched argument", "unknown option", "unrecognized", "missing required", "unexpected value", "not a valid command", "did you mean"];

    public static async Task<StepFailedException> Of(string what, ToolResult result, AdminTool tool, Neo4jTarget target, string database, StepContext context)
    {
        var said = result.Stderr + result.Stdout;
        var words = LastWords(result);
        if (result.ExitCode == Killed || Says(said, "OutOfMemoryError") || Says(said, "Java heap space"))
            return StepFailedException.Conflict($"The {what} of '{database}' ran out of memory{(tool.Heap is { } heap ? $" with HEAP_SIZE={heap}" : "; HEAP_SIZE was not set")}: exit code {result.ExitCode}.{words}",
                "Give the step `memory`; settings of the server do not reach the admin tool.");
        if (Says(said, "in use") || Says(said, "lock file") || Says(said, "AccessDenied") || Says(said, "permission"))
            return await InUse(what, words, target, database, context);
        if (Says(said, "No space left"))
            return StepFailedException.Conflict($"The {what} of '{database}' filled the disk.{words}", "Make room where the data is.");
        if (Refusals.Any(r => Says(said, r)))
            return StepFailedException.InvalidData($"{target.Admin[0]} {tool.Version} of {target.Name} refuses the call '{what}' in the form of that version: exit code {result.ExitCode}.{words}",
                "Is the tool of another version or edition than the server?");
        return Says(said, "does not exist")
            ? StepFailedException.Missing($"The {what} of '{database}' ended with exit code {result.ExitCode}.{words}", "Is the name of the database right?")
            : StepFailedException.InvalidData($"The {what} of '{database}' ended with exit code {result.ExitCode}.{words}");
    }

    /// <summary>'In use' is said of a running server, and also where the account may not open the lock file (NEO-03).</summary>
    static async Task<StepFailedException> InUse(string what, string words, Neo4jTarget target, string database, StepContext context)
    {
        var state = ServiceTarget.Words(await target.Service.State(context));
        var folder = new StoreFolder(target, database, context);
        return StepFailedException.Conflict(
            $"The {what} of '{database}' was refused.{words} Either a process still uses it: {target.Name} is {state}. "
            + $"Or the account of the tool ({await folder.Account()}) may not open its files: {await folder.Owners()}.",
            "Compare both numbers; if they differ, give the files to the account of the server (`owner`), or run the tool as that.");
    }

    static bool Says(string said, string what) => said.Contains(what, StringComparison.OrdinalIgnoreCase);

    static string LastWords(ToolResult result)
    {
        var lines = (result.Stdout + "\n" + result.Stderr).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(l => !l.StartsWith("at ", StringComparison.Ordinal)).TakeLast(3).ToList();
        return lines.Count == 0 ? "" : $" It says: {Http.HttpCall.Short(string.Join(" | ", lines))}";
    }
}
