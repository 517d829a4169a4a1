using System.Text.RegularExpressions;

namespace Helix.Runbooks.Reports;

/// <summary>What a drill has shown, kept as a note of a fixed form: <c>finding: TEXT (owner: NAME; due: DATE)</c>.</summary>
public sealed partial record DrillFinding(DateTimeOffset At, string By, string Text, string? Owner, string? Due)
{
    public static string Write(string text, string? owner, string? due)
    {
        string?[] parts = [owner is null ? null : $"owner: {owner}", due is null ? null : $"due: {due}"];
        var with = string.Join("; ", parts.Where(p => p is not null));
        return $"finding: {text}" + (with.Length == 0 ? "" : $" ({with})");
    }

    /// <returns>Null: an ordinary note.</returns>
    public static DrillFinding? Read(DateTimeOffset at, string by, string note)
    {
        var match = Form().Match(note);
        return match.Success ? new DrillFinding(at, by, match.Groups["text"].Value, Part(match, "owner"), Part(match, "due")) : null;
    }

    static string? Part(Match match, string name) => match.Groups[name] is { Success: true, Value: var value } ? value : null;

    [GeneratedRegex(@"^finding: (?<text>.*?)( \((owner: (?<owner>[^;)]*))?(; )?(due: (?<due>[^)]*))?\))?$", RegexOptions.Singleline | RegexOptions.IgnoreCase)]
    private static partial Regex Form();
}
