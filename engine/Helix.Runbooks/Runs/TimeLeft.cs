using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>What usually still lies between now and the recovery: a list one after the other, branches side by side, as many rounds of a loop at a time as it allows.</summary>
sealed partial class TimeLeft
{
    readonly RunState _state;
    readonly Plan _plan;
    readonly DateTimeOffset _now;
    readonly Func<string, TimeSpan?> _typical;

    /// <summary>To the item that ends the clock; empty: all of the steps do.</summary>
    readonly IReadOnlyList<Item> _way;

    public TimeLeft(RunState state, Plan plan, DateTimeOffset now, Func<string, TimeSpan?> typical)
    {
        (_state, _plan, _now, _typical) = (state, plan, now, typical);
        _way = plan.Runbook.Objectives.RecoveredAt is { } id ? Items.WayTo(plan.Runbook.Steps, id) : [];
        Total = OfList(plan.Runbook.Steps, new At("", Way: _way.Count > 0 ? 0 : null, Followed: false, Sure: true, state.Inputs));
    }

    public TimeSpan Total { get; }

    /// <summary>The usual time of something that is to come is known.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>Something else is to come as well: steps that nobody knows the time of, people, or nobody knows how many rounds.</summary>
    public bool IsLeast { get; private set; }

    /// <param name="Way">The next item of the way to the end of the clock stands here or below; null: all of it counts.</param>
    /// <param name="Followed">Something comes after it, which waits for the finally of a block too.</param>
    /// <param name="Sure">No condition around it is still open.</param>
    /// <param name="Inputs">Of the runbook that it stands in, where they are known.</param>
    sealed record At(string Prefix, int? Way, bool Followed, bool Sure, JsonObject? Inputs);

    bool Leads(IReadOnlyList<Item> items, At at) => at.Way is { } way && items.Any(i => ReferenceEquals(i, _way[way]));

    TimeSpan OfList(IReadOnlyList<Item> items, At at)
    {
        var total = TimeSpan.Zero;
        for (var i = 0; i < items.Count; i++)
        {
            if (at.Way is { } way && ReferenceEquals(items[i], _way[way]))
                return total + OfItem(items[i], at with { Way = way + 1 < _way.Count ? way + 1 : null, Followed = false });
            total += OfItem(items[i], at with { Way = null, Followed = at.Followed || i < items.Count - 1 });
        }
        return total;
    }

    TimeSpan OfItem(Item item, At at)
    {
        var path = at.Prefix + item.Id;
        if (item is StepItem step)
            return OfStep(step, path, at.Sure);
        // A block that failed was over its time: what is left of it does not begin any more.
        if (_state.StatusOf(path) is StepStatus.Skipped or StepStatus.Failed)
            return TimeSpan.Zero;
        return OfBlock((BlockItem)item, path, at with { Sure = at.Sure && (item.When is null || _state.Entered.ContainsKey(path)) });
    }

    TimeSpan OfBlock(BlockItem block, string path, At at)
    {
        var tidies = at.Followed || Leads(block.Finally, at);
        var inside = at with { Followed = tidies };
        var total = block switch
        {
            GroupItem group => OfList(group.Steps, inside),
            ParallelItem parallel => BranchesOf(parallel, at).Select(b => OfList(b, inside)).DefaultIfEmpty().Max(),
            ForEachItem each => OfLoop(each, path, inside),
            RunbookItem sub => OfSub(sub, path, inside),
            _ => TimeSpan.Zero,
        };
        var prefix = block is ForEachItem or RunbookItem ? path + "/" : at.Prefix;
        return tidies ? total + OfList(block.Finally, at with { Prefix = prefix }) : total;
    }

    /// <summary>The others are not waited for where the clock ends within one of them.</summary>
    IEnumerable<IReadOnlyList<Item>> BranchesOf(ParallelItem parallel, At at) =>
        parallel.Branches.FirstOrDefault(b => Leads(b, at)) is { } branch ? [branch] : parallel.Branches;

    TimeSpan OfSub(RunbookItem sub, string path, At at)
    {
        var inside = at with { Prefix = path + "/", Way = null, Inputs = _state.Entered.GetValueOrDefault(path).Inputs };
        return OfList(sub.Runbook.Steps, inside) + (at.Followed ? OfList(sub.Runbook.Finally, inside) : TimeSpan.Zero);
    }

    /// <summary>The next round begins where the first of those that go on at the same time has ended.</summary>
    TimeSpan OfLoop(ForEachItem each, string path, At at)
    {
        var count = _state.Lists.TryGetValue(path, out var list) ? list.Count : CountOf(each, at.Inputs);
        IsLeast |= count is null && at.Sure;
        var lanes = new TimeSpan[Math.Clamp(each.MaxParallel, 1, Math.Max(count ?? 1, 1))];
        var end = TimeSpan.Zero;
        for (var i = 0; i < (count ?? 1); i++)
        {
            var lane = Array.IndexOf(lanes, lanes.Min());
            var round = at with { Prefix = $"{path}[{i}]/" };
            var begin = lanes[lane];
            lanes[lane] += OfList(each.Steps, round with { Way = null, Followed = true });
            var ended = Leads(each.Steps, at) ? begin + OfList(each.Steps, round) : lanes[lane];
            end = ended > end ? ended : end;
        }
        return end;
    }

    /// <summary>How many rounds there will be; null when only a step that is to come says so.</summary>
    int? CountOf(ForEachItem each, JsonObject? inputs)
    {
        if (TemplateEvaluator.Written(each.List) is { } written)
            return written.Count;
        if (inputs is null || EarlyResolver.NeedsTheRun(each.List.Text))
            return null;
        try
        {
            var known = new ExpressionScope { Inputs = inputs, Vars = PlanFacts.Vars(_plan.Environment), Targets = PlanFacts.Targets(_plan.Environment) };
            return TemplateEvaluator.EvaluateList(each.List, known).Count;
        }
        catch (RunbookException)
        {
            return null;
        }
    }

    TimeSpan OfStep(StepItem step, string path, bool sure)
    {
        var at = _state.Step(path);
        if (at is not null && IsOver(at))
            return TimeSpan.Zero;
        if (Usual(path) is not { } usual)
        {
            IsLeast |= step.When is null && sure;
            return TimeSpan.Zero;
        }
        IsKnown = true;
        var gone = at is { Status: StepStatus.Running, Attempts.Count: > 0 } ? _now - at.Attempts[^1].Start : TimeSpan.Zero;
        return usual > gone ? usual - gone : TimeSpan.Zero;
    }

    /// <summary>It takes no more time: also when it failed and nobody is asked whether it shall be tried again.</summary>
    bool IsOver(StepState step) =>
        step.Status is StepStatus.Succeeded or StepStatus.Skipped
        || (step.Status == StepStatus.Failed && (step.Question is null || _state.Questions[step.Question].Status != QuestionStatus.Open));

    /// <summary>An element of which there is no experience usually takes as long as the first. Each is asked for by itself, so a long list is not asked for to its end.</summary>
    TimeSpan? Usual(string path) =>
        (FarDown().IsMatch(path) ? null : _typical(path)) ?? (path.Contains('[') ? _typical(StepPath.Pattern(path).Replace("[]", "[0]", StringComparison.Ordinal)) : null);

    [GeneratedRegex(@"\[\d{3,}\]")]
    private static partial Regex FarDown();
}
