using Helix.Runbooks.Steps;

namespace Helix.Steps.Backups;

/// <summary>The words that choose one backup of a series.</summary>
sealed record BackupSelector
{
    public const string Forms = "latest, latest-proven, before:2026-03-01T02:00:00Z, age:6h, or a key";
    const string Pin = "@sha256:";

    public bool ProvenOnly { get; private init; }

    /// <summary>Recovery point strictly before this.</summary>
    public DateTimeOffset? Before { get; private init; }

    /// <summary>At least this old.</summary>
    public TimeSpan? Age { get; private init; }
    public string? Key { get; private init; }
    public string? Sha256 { get; private init; }

    /// <exception cref="RunbookException">Empty or malformed (PM-07).</exception>
    public static BackupSelector Parse(string text)
    {
        if (text.Trim().Length == 0)
            throw new RunbookException("The backup to take is not named: the selector is empty.", $"Write {Forms}.");
        if (text == "latest")
            return new();
        if (text == "latest-proven")
            return new() { ProvenOnly = true };
        if (After(text, "before:") is { } time)
            return Moment.TryParse(time, out var before)
                ? new() { Before = before }
                : throw new RunbookException($"'{text}' names no time.", $"Write before: and {Moment.Form}.");
        if (After(text, "age:") is { } span)
            return Duration.TryParse(span, out var age)
                ? new() { Age = age }
                : throw new RunbookException($"'{text}' names no age.", "Write age:6h.");
        var pin = text.IndexOf(Pin, StringComparison.Ordinal);
        return pin < 0
            ? new() { Key = BackupKey.Check(text) }
            : new() { Key = BackupKey.Check(text[..pin]), Sha256 = text[(pin + Pin.Length)..] };
    }

    /// <summary>What it would choose, and hardly anybody wants: for the plan.</summary>
    public static IReadOnlyList<string> Doubts(string text, DateTimeOffset now) =>
        Parse(text).Before is { } before && before > now ? [$"{text} lies in the future, so the newest backup is taken."] : [];

    static string? After(string text, string start) => text.StartsWith(start, StringComparison.Ordinal) ? text[start.Length..] : null;
}
