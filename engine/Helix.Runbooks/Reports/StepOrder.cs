using System.Text.RegularExpressions;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;

namespace Helix.Runbooks.Reports;

/// <summary>Puts the steps of a run in the order of the plan, elements of a forEach one after the other.</summary>
sealed partial class StepOrder(Plan plan)
{
    /// <summary>Every path that the run knows, and every planned one that it has not reached.</summary>
    public IReadOnlyList<(string Path, PlannedStep? Planned)> Of(RunState state)
    {
        var known = state.Steps.Keys.Select(p => (Path: p, Planned: plan.Find(p))).Where(p => p.Planned is not null || IsStep(state.Steps[p.Path])).ToList();
        var seen = known.Where(p => p.Planned is not null).Select(p => p.Planned!.Path).ToHashSet();
        known.AddRange(plan.Steps.Where(s => !seen.Contains(s.Path)).Select(s => (s.Path, (PlannedStep?)s)));
        return [.. known.OrderBy(p => Key(p.Path, p.Planned), KeyComparer.Instance)];
    }

    /// <summary>Blocks may carry a state of their own (a question, a skip); those without a plan are shown only when they say something.</summary>
    static bool IsStep(StepState step) => step.Attempts.Count > 0 || step.Status is StepStatus.Failed or StepStatus.Skipped or StepStatus.Waiting;

    /// <summary>Order of the first planned step of the outermost loop, then the indexes, then the order inside.</summary>
    int[] Key(string path, PlannedStep? planned)
    {
        var loop = path.IndexOf('[', StringComparison.Ordinal);
        var order = planned?.Order ?? int.MaxValue;
        if (loop < 0)
            return [order];
        var prefix = path[..loop] + "[]";
        var first = plan.Steps.Where(s => s.Path.StartsWith(prefix, StringComparison.Ordinal)).Select(s => s.Order).DefaultIfEmpty(order).Min();
        return [first, .. Indexes().Matches(path).Select(m => m.Groups[1].Value.Length == 0 ? 0 : int.Parse(m.Groups[1].Value)), order];
    }

    [GeneratedRegex(@"\[(\d*)\]")]
    private static partial Regex Indexes();

    sealed class KeyComparer : IComparer<int[]>
    {
        public static readonly KeyComparer Instance = new();

        public int Compare(int[]? x, int[]? y)
        {
            for (var i = 0; i < Math.Min(x!.Length, y!.Length); i++)
                if (x[i] != y[i])
                    return x[i].CompareTo(y[i]);
            return x.Length.CompareTo(y!.Length);
        }
    }
}
