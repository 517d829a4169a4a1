namespace Helix.Runbooks.Model;

/// <summary>Collects what is wrong while a file is read.</summary>
sealed class ProblemList
{
    readonly List<Problem> _problems = [];

    /// <summary>More than this many help nobody.</summary>
    const int Most = 1_000;

    public bool HasErrors => Errors > 0;
    public int Errors { get; private set; }
    public int Count => _problems.Count;
    public bool IsFull => _problems.Count >= Most;

    public void Error(string rule, Position position, string message, string? hint = null) =>
        Add(new Problem(position, message, hint) { Rule = rule });

    public void Warning(string rule, Position position, string message, string? hint = null) =>
        Add(new Problem(position, message, hint, Severity.Warning) { Rule = rule });

    public void Add(Problem problem)
    {
        if (problem.Severity == Severity.Error)
            Errors++;
        if (_problems.Count < Most)
            _problems.Add(problem);
    }

    public void AddAll(IEnumerable<Problem> problems)
    {
        foreach (var problem in problems)
            Add(problem);
    }

    /// <summary>By file as first named, then by place; each once.</summary>
    public IReadOnlyList<Problem> Sorted(string firstFile) =>
        [.. _problems.Distinct()
            .OrderBy(p => p.Position.File != firstFile)
            .ThenBy(p => p.Position.File, StringComparer.Ordinal)
            .ThenBy(p => p.Position.Line).ThenBy(p => p.Position.Column)
            .ThenBy(p => p.Severity == Severity.Warning)];
}
