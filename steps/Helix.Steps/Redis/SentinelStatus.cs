using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Redis;

public sealed record SentinelStatusOptions
{
    [Description("The sentinels to ask.")]
    [TargetName("sentinel")]
    [Example("sentinel")]
    public required string Target { get; init; }

    [Description("How many replicas must be fit to take over.")]
    [Range(0, 100)]
    public int Replicas { get; init; } = 1;

    [Description("Put the problems out instead of failing on them.")]
    public bool OnlyReport { get; init; }

    [Description("Nodes, as host:port, whose silence is no problem: a master that was given up.")]
    [Example("[\"{{ steps.failover.old }}\"]")]
    public IReadOnlyList<string> MayBeDown { get; init; } = [];
}

public sealed record SentinelStatusOutputs
{
    [Description("The master, as host:port.")]
    public required string Master { get; init; }

    [Description("One node, and the one that the sentinels name, answers as master.")]
    public required bool MasterAnswers { get; init; }

    [Description("Sentinels that answer.")]
    public required IReadOnlyList<string> Sentinels { get; init; }

    [Description("Replicas that are fit to take over.")]
    public required IReadOnlyList<string> Replicas { get; init; }

    [Description("What is wrong, one sentence each; empty when all is well.")]
    public required IReadOnlyList<string> Problems { get; init; }
    public required bool Healthy { get; init; }
}

[Step("sentinel.status", "Checks quorum, replicas, names and that one and only one master answers.")]
public sealed class SentinelStatus : Step<SentinelStatusOptions, SentinelStatusOutputs>
{
    public override IEnumerable<TargetEffect> Effects(SentinelStatusOptions options) => [TargetEffect.Reads(options.Target)];

    public override async Task<SentinelStatusOutputs> Run(SentinelStatusOptions options, StepContext context)
    {
        var target = context.Target<SentinelTarget>(options.Target);
        var view = await SentinelView.Read(target, context);
        var nodes = await DataNode.Ask(target, view.Nodes.Where(n => !view.Unresolved.Contains(n.Host)), context);
        var given = options.MayBeDown.Select(n => RedisEndpoint.Parse(n).Normalised).ToHashSet();
        var problems = Problems(view, [.. nodes.Where(n => n.Answers || !given.Contains(n.At.Normalised))], options.Replicas).ToList();
        foreach (var problem in problems)
            context.Log(problem);
        if (problems.Count > 0 && !options.OnlyReport)
            throw StepFailedException.Conflict($"{target.Master} is not in order: {string.Join("; ", problems)}.");
        return new()
        {
            Master = view.Master.ToString(),
            MasterAnswers = nodes.Where(n => n.IsMaster).Select(n => n.At.Normalised).ToList() is [var only] && only == view.Master.Normalised,
            Sentinels = [.. view.Answering.Select(a => a.ToString())],
            Replicas = [.. Fit(view).Select(r => r.At.ToString())],
            Problems = problems,
            Healthy = problems.Count == 0,
        };
    }

    static IEnumerable<SentinelNode> Fit(SentinelView view) => view.Replicas.Where(r => r.IsGood(view.MasterIsDown));

    static IEnumerable<string> Problems(SentinelView view, IReadOnlyList<DataNode> nodes, int replicas)
    {
        foreach (var problem in view.Problems)
            yield return problem.TrimEnd('.');
        foreach (var name in view.Unresolved)
            yield return $"the name {name}, which the sentinels use, cannot be resolved";
        if (Fit(view).Count() < replicas)
            yield return $"{Fit(view).Count()} replicas are fit to take over and {replicas} should be";
        var masters = nodes.Where(n => n.IsMaster).ToList();
        if (masters.Count != 1)
            yield return masters.Count == 0 ? "no master answers" : $"{masters.Count} nodes say that they are master: {string.Join(", ", masters.Select(m => m.At))}";
        else if (masters[0].At.Normalised != view.Master.Normalised)
            yield return $"{masters[0].At} says that it is master, and the sentinels say {view.Master}";
        foreach (var node in nodes.Where(n => !n.Answers))
            yield return $"{node.At} does not answer";
        foreach (var node in nodes.Where(n => n is { Answers: true, IsMaster: false }))
            if (node.Link!.Fault(long.MaxValue) is { } fault)
                yield return fault;
    }
}
