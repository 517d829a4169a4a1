using System.Text.RegularExpressions;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Terraform;

/// <summary>Who holds the lock of a state, as terraform tells it.</summary>
sealed partial record StateLock(string Id, string Who, string Operation, string Since)
{
    /// <summary>Null when the text speaks of no lock.</summary>
    public static StateLock? In(string text) =>
        text.Contains("acquiring the state lock", StringComparison.OrdinalIgnoreCase)
            ? AlreadyLocked().Match(text) is { Success: true } other ? OfOther(other.Groups["id"].Value, text)
                : new(Field("ID", text), Field("Who", text), Field("Operation", text), Field("Created", text))
            : null;

    /// <summary>The http backend names the holder's id, and prints who asks in vain as if he were the holder.</summary>
    static StateLock OfOther(string id, string text) => id == Field("ID", text)
        ? new(id, Field("Who", text), Field("Operation", text), Field("Created", text))
        : new(id, "somebody whom the backend does not name", "unknown operation", "an unknown time");

    static string Field(string name, string text) =>
        Fields().Matches(text).FirstOrDefault(m => m.Groups["name"].Value == name)?.Groups["value"].Value.Trim() is { Length: > 0 } value ? value : "unknown";

    public override string ToString() => $"{Who} since {Since} ({Operation}, lock {Id})";

    public StepFailedException Failure(string folder) => StepFailedException.Conflict(
        $"The state of {folder} is locked by {this}.",
        $"See whether that run still lives. If it is gone for certain, take the lock away with the step terraform.unlock and lockId {Id}, which needs an approval.");

    [GeneratedRegex(@"already locked: ID=(?<id>\S+)")]
    private static partial Regex AlreadyLocked();

    [GeneratedRegex(@"^\s*[│]?\s*(?<name>ID|Who|Operation|Created):(?<value>.*)$", RegexOptions.Multiline)]
    private static partial Regex Fields();
}
