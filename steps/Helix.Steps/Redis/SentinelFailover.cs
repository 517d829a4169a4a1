using System.ComponentModel;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Redis;

public sealed record SentinelFailoverOptions
{
    [Description("The sentinels that do it.")]
    [TargetName("sentinel")]
    [Example("sentinel")]
    public required string Target { get; init; }

    [Description("How long writes may be held back, the replica may need to take over, and the links to come up; each.")]
    public Duration Within { get; init; } = new(TimeSpan.FromMinutes(1));
}

public sealed record SentinelFailoverOutputs
{
    [Description("The master before, as host:port.")]
    public required string Old { get; init; }

    [Description("The master now.")]
    public required string New { get; init; }

    [Description("From the order until the new master answered and the old one followed it.")]
    public required Duration Duration { get; init; }

    [Description("Replicas that follow the new master.")]
    public required IReadOnlyList<string> Replicas { get; init; }
}

[Step("sentinel.failover", "Makes a replica the master, without two masters at any time, and checks that the others follow it.")]
public sealed class SentinelFailover : Step<SentinelFailoverOptions, SentinelFailoverOutputs>
{
    const string Old = "old";
    const string Begun = "begun";

    public override IEnumerable<TargetEffect> Effects(SentinelFailoverOptions options) => [TargetEffect.Changes(options.Target)];

    public override async Task<StepPlan> Plan(SentinelFailoverOptions options, PlanContext context)
    {
        var target = context.Target<SentinelTarget>(options.Target);
        try
        {
            var view = await SentinelView.Read(target, context);
            return new()
            {
                Lines = [$"{target.Master} moves from {view.Master} to one of {string.Join(", ", view.Replicas.Select(r => r.At))}", "writes are held back meanwhile"],
                Warnings = [.. view.Problems, .. view.Unresolved.Select(n => $"The name {n} cannot be resolved.")],
            };
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return new() { Lines = [$"{target.Master} moves to one of its replicas"], Warnings = [e.Message] };
        }
    }

    public override async Task<SentinelFailoverOutputs> Run(SentinelFailoverOptions options, StepContext context)
    {
        var target = context.Target<SentinelTarget>(options.Target);
        var view = await SentinelView.Read(target, context);
        var old = context.Saved(Old) is { } saved ? RedisEndpoint.Parse((string)saved!) : view.Master;
        var begun = (DateTimeOffset?)context.Saved(Begun) ?? context.Time.GetUtcNow();
        await context.Save(Begun, JsonValue.Create(begun));
        await context.Save(Old, JsonValue.Create(old.ToString()));
        var failover = new Failover(target, old, options.Within, context);
        var now = view.Master.Normalised == old.Normalised ? await failover.Order(view) : await failover.Finish(view.Master);
        return Outputs(old, now.Master, now.Replicas, context.Time.GetUtcNow() - begun);
    }

    public override async Task<ProbeResult<SentinelFailoverOutputs>> Probe(SentinelFailoverOptions options, StepContext context)
    {
        if ((string?)context.Saved(Old) is not { } old || (DateTimeOffset?)context.Saved(Begun) is not { } begun)
            return ProbeResult<SentinelFailoverOutputs>.NotDone("it had not begun");
        var target = context.Target<SentinelTarget>(options.Target);
        var view = await SentinelView.Read(target, context);
        if (view.Master.ToString() == old)
            return ProbeResult<SentinelFailoverOutputs>.NotDone($"{old} is still the master");
        var nodes = await DataNode.Ask(target, view.Nodes.Append(RedisEndpoint.Parse(old)), context);
        var following = nodes.Where(n => n.Link is { IsReplica: true, Up: true }).Select(n => n.At.ToString()).ToList();
        return nodes.Count(n => n.IsMaster) == 1 && nodes.All(n => n.IsMaster || n.Link?.Fault(long.MaxValue) is null && n.Answers)
            ? ProbeResult<SentinelFailoverOutputs>.Done(Outputs(RedisEndpoint.Parse(old), view.Master, following, context.Time.GetUtcNow() - begun), $"{view.Master} is the only master and the others follow it")
            : ProbeResult<SentinelFailoverOutputs>.NotDone($"{view.Master} is the master and the others do not follow yet; that goes on");
    }

    static SentinelFailoverOutputs Outputs(RedisEndpoint old, RedisEndpoint master, IReadOnlyList<string> replicas, TimeSpan duration) => new()
    {
        Old = old.ToString(),
        New = master.ToString(),
        Duration = new(TimeSpan.FromMilliseconds(Math.Round(duration.TotalMilliseconds))),
        Replicas = replicas,
    };
}
