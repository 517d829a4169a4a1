using System.Collections.Immutable;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

/// <summary>Reads the runbooks that a runbook names, each file once.</summary>
sealed class SubRunbooks
{
    const int MostDepth = 16;

    readonly Reading _reading;
    readonly string _file;
    readonly ImmutableList<string> _above;

    public SubRunbooks(Reading reading, string file, ImmutableList<string>? above = null)
    {
        _reading = reading;
        _file = file;
        _above = (above ?? []).Add(Path.GetFullPath(file));
    }

    /// <summary>The file is read because another one uses it.</summary>
    public bool IsSub => _above.Count > 1;

    /// <returns>Null when it has errors, which are reported.</returns>
    public Runbook? Read(string named, Position place)
    {
        if (named.Contains('\0', StringComparison.Ordinal) || Path.IsPathRooted(named))
            return Refuse(place, "sub-runbook", $"'{named}' must be a path relative to this file.", "Runbooks that belong together are kept together.");
        var path = Path.Combine(Path.GetDirectoryName(_file) ?? "", named);
        var full = Path.GetFullPath(path);
        if (_above.Contains(full))
            return Refuse(place, "cycle", $"'{named}' is this runbook itself, or one that uses it.", $"The way round: {string.Join(" → ", _above.Append(full).Select(Path.GetFileName))}.");
        if (_above.Count > MostDepth)
            return Refuse(place, "too-deep", $"Runbooks use each other more than {MostDepth} levels deep here.", "Flatten them.");
        if (_reading.Read.TryGetValue(full, out var known))
            return known;
        if (_reading.Open(path) is not { } bytes)
            return Refuse(place, "missing-file", $"The runbook '{named}' is not there.", $"It was looked for at {path}.");
        return _reading.Read[full] = new RunbookFile(_reading, path, bytes, new SubRunbooks(_reading, path, _above)).Read();
    }

    Runbook? Refuse(Position place, string rule, string message, string hint)
    {
        _reading.Problems.Error(rule, place, message, hint);
        return null;
    }
}

/// <summary>What the reading of a runbook and of those that it names share.</summary>
sealed record Reading(StepCatalog Catalog, Func<string, byte[]?> Open, Environment? Environment, ProblemList Problems)
{
    public Dictionary<string, Runbook?> Read { get; } = [];

    /// <summary>The outputs of each runbook that was read.</summary>
    public Dictionary<Runbook, RecordShape> Outputs { get; } = new(ReferenceEqualityComparer.Instance);
}
