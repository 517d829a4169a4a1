using System.Globalization;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Redis;

/// <summary>One planned failover. Sentinel alone leaves the old master writable for ten seconds and more, and what is written there is lost; so writes are held back first.</summary>
sealed class Failover(SentinelTarget target, RedisEndpoint old, TimeSpan within, StepContext context)
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    static readonly TimeSpan PuttingBack = TimeSpan.FromSeconds(10);

    string Key => $"paused:{old}";

    /// <summary>From the order on.</summary>
    public async Task<(RedisEndpoint Master, IReadOnlyList<string> Replicas)> Order(SentinelView view)
    {
        Refuse(view);
        try
        {
            if (!view.MasterIsDown)
            {
                await HoldWrites();
                await ReplicasHaveAll(view);
            }
            await Send(view);
            return await Finish(await NewMaster());
        }
        catch
        {
            using var limit = new CancellationTokenSource(PuttingBack, context.Time);
            await new Failover(target, old, within, context.Until(limit.Token)).LetWrite();
            throw;
        }
    }

    /// <summary>From the moment on when the sentinels name another master.</summary>
    public async Task<(RedisEndpoint Master, IReadOnlyList<string> Replicas)> Finish(RedisEndpoint master)
    {
        await Demote(master);
        return (master, await Followers(master));
    }

    void Refuse(SentinelView view)
    {
        if (view.Unresolved.Count > 0)
            throw StepFailedException.Conflict(
                $"Sentinel uses names that cannot be resolved: {string.Join(", ", view.Unresolved)}. The failover is not begun.",
                "Bring the names back (a stopped container loses its own), or use addresses.");
        if (view.Problems.Count > 0)
            throw StepFailedException.Conflict($"The failover of {target.Master} is not begun: {string.Join(" ", view.Problems)}", "All sentinels that the target names must answer and agree.");
        if (!view.Replicas.Any(r => r.IsGood(view.MasterIsDown)))
            throw StepFailedException.Conflict(
                $"{target.Master} has no replica that could take over: {string.Join(", ", view.Replicas.Select(r => $"{r.At} ({string.Join(' ', r.Flags)}, link {r.LinkStatus})"))}.",
                "Mend a replica first. " + ReplicaLink.Hint);
    }

    async Task HoldWrites()
    {
        var limit = (long)(3 * within).TotalMilliseconds;
        await context.Leave(new()
        {
            Key = Key,
            Kind = ResidueKind.Paused,
            What = $"writes to {old} are held back for at most {new Duration(TimeSpan.FromMilliseconds(limit))}",
            Command = $"redis-cli -h {old.Host} -p {old.Port} CLIENT UNPAUSE",
        });
        await using var node = await RedisConnection.Open(target.Node(old), context);
        await node.Send("CLIENT", "PAUSE", limit.ToString(CultureInfo.InvariantCulture), "WRITE");
        context.Log($"writes to {old} are held back");
    }

    /// <summary>Nothing that the old master has confirmed may be missing on the new one.</summary>
    Task ReplicasHaveAll(SentinelView view) => Until(
        async () => HaveAll(view, await DataNode.Ask(target, view.Nodes, context)),
        () => $"not every replica of {old} that may take over has received all that was written to it");

    /// <summary>Sentinel chooses which replica takes over, by more than its offset: each that it may choose must have all.</summary>
    internal static bool HaveAll(SentinelView view, IReadOnlyList<DataNode> nodes)
    {
        var offset = nodes.First(n => n.At == view.Master).Offset;
        var chosenFrom = view.Replicas.Where(r => r.IsGood(masterIsDown: false)).Select(r => r.At.Normalised).ToHashSet();
        var ready = nodes.Where(n => n.Link is { IsReplica: true, Up: true } && n.Offset >= offset).Select(n => n.At.Normalised);
        return chosenFrom.Count > 0 && chosenFrom.IsSubsetOf(ready);
    }

    async Task Send(SentinelView view)
    {
        await using var sentinel = await RedisConnection.Open(target, view.Answering[0], context);
        try
        {
            await sentinel.Send("SENTINEL", "FAILOVER", target.Master);
            context.Log($"{sentinel.Name} was told to fail over");
        }
        catch (StepFailedException e) when (e.Message.Contains("INPROG", StringComparison.Ordinal))
        {
            context.Log($"{sentinel.Name} is already failing over");
        }
        catch (StepFailedException e) when (e.Message.Contains("NOGOODSLAVE", StringComparison.Ordinal))
        {
            throw StepFailedException.Transient($"{sentinel.Name} finds no replica fit to take over.", "Soon after another failover that is so for some ten seconds: try again then.");
        }
    }

    async Task<RedisEndpoint> NewMaster()
    {
        RedisEndpoint? found = null;
        await Until(async () =>
        {
            var view = await SentinelView.Read(target, context);
            if (view.Master.Normalised == old.Normalised || view.Problems.Any(p => p.Contains("still holds", StringComparison.Ordinal)))
                return false;
            found = view.Master;
            return (await DataNode.Ask(target, [view.Master], context))[0].IsMaster;
        }, () => $"the sentinels still hold {old} for the master of {target.Master}");
        context.Log($"{found} is the master");
        return found!;
    }

    /// <summary>Only then may it write again: it follows.</summary>
    async Task Demote(RedisEndpoint master)
    {
        try
        {
            await using var node = await RedisConnection.Open(target.Node(old), context);
            await node.Send("REPLICAOF", master.Host, master.Port.ToString(CultureInfo.InvariantCulture));
            await node.Send("CLIENT", "UNPAUSE");
            await context.TakeBack(Key);
            context.Log($"{old} follows {master}");
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Transient)
        {
            context.Log($"{old} does not answer. When it comes back it says for some ten seconds that it is master, until the sentinels tell it otherwise: let no client reach it before.");
        }
    }

    /// <summary>Every replica that answers has its link up; one without the right password never gets there (RED-15).</summary>
    async Task<IReadOnlyList<string>> Followers(RedisEndpoint master)
    {
        IReadOnlyList<DataNode> nodes = [];
        await Until(async () =>
        {
            var view = await SentinelView.Read(target, context);
            nodes = await DataNode.Ask(target, view.Nodes.Append(old), context);
            return nodes.All(n => n.At.Normalised == master.Normalised ? n.IsMaster : !n.Answers || Follows(n, master) is null);
        }, () => string.Join("; ", nodes.Where(n => n.Answers && n.At.Normalised != master.Normalised).Select(n => Follows(n, master)).OfType<string>()
            .DefaultIfEmpty($"{master} does not say that it is master")));
        return [.. nodes.Where(n => n.Answers && !n.IsMaster).Select(n => n.At.ToString())];
    }

    static string? Follows(DataNode node, RedisEndpoint master) =>
        node.Link!.Fault(long.MaxValue) ?? (node.Link.Follows == master.ToString() ? null : $"{node.At} follows {node.Link.Follows}");

    /// <summary>After a failure: the old master writes again, unless there is another by now.</summary>
    async Task LetWrite()
    {
        try
        {
            var view = await SentinelView.Read(target, context);
            if (view.Master.Normalised != old.Normalised)
                await Demote(view.Master);
            else
            {
                await using var node = await RedisConnection.Open(target.Node(old), context);
                await node.Send("CLIENT", "UNPAUSE");
                await context.TakeBack(Key);
                context.Log($"{old} takes writes again");
            }
        }
        catch (Exception e) when (e is StepFailedException or OperationCanceledException)
        {
            context.Log($"Writes to {old} may still be held back. {e.Message}");
        }
    }

    async Task Until(Func<Task<bool>> holds, Func<string> otherwise)
    {
        var begun = context.Time.GetTimestamp();
        while (!await holds())
        {
            if (context.Time.GetElapsedTime(begun) > within)
                throw new StepFailedException(FailureClass.TimedOut, $"After {new Duration(within)} {otherwise()}.", ReplicaLink.Hint);
            context.Progress(context.Time.GetElapsedTime(begun).TotalSeconds, within.TotalSeconds, "seconds");
            await context.Delay(Pause);
        }
    }
}
