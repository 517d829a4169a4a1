using Helix.Runbooks.Plans;

namespace Helix.Runbooks.Runs.Simulations;

/// <summary>Where a scenario stands in its scripts. Branches play at the same time.</summary>
sealed class Playback(Scenario scenario)
{
    readonly Lock _lock = new();
    readonly Dictionary<(string Path, bool Decision), int> _next = [];
    readonly HashSet<string> _used = [];

    /// <summary>What the next attempt of a step comes to; null: nothing is said about it.</summary>
    public ScriptedResult? Attempt(string path) => Next(path, decision: false);

    /// <summary>What somebody answers next; null: nothing is said about it.</summary>
    public ScriptedDecision? Decision(string path) => (ScriptedDecision?)Next(path, decision: true);

    /// <summary>Scripts that nothing came to.</summary>
    public IEnumerable<(string Path, Script Script)> Unused => scenario.Results.Where(r => !_used.Contains(r.Key)).Select(r => (r.Key, r.Value));

    ScriptedResult? Next(string path, bool decision)
    {
        lock (_lock)
        {
            var key = scenario.Results.ContainsKey(path) ? path : StepPath.Pattern(path);
            if (!scenario.Results.TryGetValue(key, out var script))
                return null;
            var mine = script.Results.Where(r => r is ScriptedDecision == decision).ToList();
            var at = _next.GetValueOrDefault((path, decision));
            _next[(path, decision)] = at + 1;
            if (script.Always)
                at = 0;
            if (at >= mine.Count)
                return null;
            _used.Add(key);
            return mine[at];
        }
    }
}

/// <summary>The story cannot go on: what it says does not fit what the run asks.</summary>
sealed class StuckException(Model.Position position, string message) : Exception(message)
{
    public Model.Position Position { get; } = position;
}
