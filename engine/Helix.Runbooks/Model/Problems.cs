namespace Helix.Runbooks.Model;

public enum Severity { Warning, Error }

/// <summary>One thing wrong in a file: what, where, and what to write instead.</summary>
public sealed record Problem(Position Position, string Message, string? Hint = null, Severity Severity = Severity.Error)
{
    /// <summary>Stable short name of the rule, as <c>unknown-key</c>.</summary>
    public required string Rule { get; init; }

    public override string ToString() =>
        $"{Position}: {(Severity == Severity.Warning ? "warning: " : "")}{Message}" + (Hint is null ? "" : $"\n    Hint: {Hint}");
}

/// <summary>What reading a file gave: a value, or errors; warnings with either. Problems are sorted by position.</summary>
public sealed record ReadResult<T>(T? Value, IReadOnlyList<Problem> Problems) where T : class
{
    public bool HasErrors => Problems.Any(p => p.Severity == Severity.Error);
}
