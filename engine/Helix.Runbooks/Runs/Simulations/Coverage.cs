using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;

namespace Helix.Runbooks.Runs.Simulations;

/// <summary>One way that a run can take at one place of a runbook.</summary>
public sealed record Branch(string Path, string What, Position Position, bool Taken);

/// <summary>The branches of a runbook, and which of them some scenario takes.</summary>
public sealed record Coverage(Runbook Runbook, IReadOnlyList<Branch> Branches)
{
    public IEnumerable<Branch> Untaken => Branches.Where(b => !b.Taken);
    public bool IsFull => Branches.All(b => b.Taken);
    public int Percent => Branches.Count == 0 ? 100 : Branches.Count(b => b.Taken) * 100 / Branches.Count;

    /// <summary>One for each runbook, over all of its scenarios.</summary>
    public static IReadOnlyList<Coverage> Of(IEnumerable<(Simulation Simulation, IReadOnlyList<Played> Played)> played) =>
        [.. played.GroupBy(p => Path.GetFullPath(p.Simulation.Runbook.Source.Path))
            .Select(g => Of(g.First().Simulation.Runbook, g.SelectMany(p => p.Played).Select(p => p.Entries)))];

    static Coverage Of(Runbook runbook, IEnumerable<IReadOnlyList<JournalEntry>> runs)
    {
        var trace = new Trace(runs);
        return new Coverage(runbook, [.. new PlanIndex(runbook).All.SelectMany(place => Turns(place.Item)
            .Select(t => new Branch(place.Pattern, t.What, place.Item.Position, trace.Has(place.Pattern, t.Turn))))]);
    }

    static IEnumerable<(Turn Turn, string What)> Turns(Item item)
    {
        if (item is StepItem { Uses: EngineItems.Approval } gate)
        {
            yield return (Turn.Approved, "approved");
            yield return Back(gate) is { } to ? (Turn.WentBack, $"rejected, back to {to}") : (Turn.Rejected, "rejected");
        }
        else if (item is StepItem or RunbookItem || item.When is not null)
            yield return (Turn.Reached, item.When is null ? "reached" : "when true");
        if (item.When is not null)
            yield return (Turn.ConditionFalse, "when false");
        if (item is StepItem { IfFails: IfFails.Continue })
            yield return (Turn.Failed, "fails, and the run goes on");
        if (item is ForEachItem each)
            foreach (var turn in Elements(each))
                yield return turn;
    }

    static string? Back(StepItem gate) => gate.With["onReject"]?.ToString() is { } to and not "abort" ? to : null;

    /// <summary>A list that is written out has as many elements as it has.</summary>
    static IEnumerable<(Turn, string)> Elements(ForEachItem each)
    {
        var literal = TemplateEvaluator.Written(each.List);
        if (literal is not { Count: > 0 })
            yield return (Turn.NoElement, "no element");
        if (literal is not { Count: 0 })
            yield return (Turn.SomeElements, "some elements");
    }
}
