using System.Globalization;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Redis;

/// <summary>Keeps replicas away from a server whose data is being replaced.</summary>
sealed class DetachedReplicas(RedisTarget target, RedisRestoreOptions options, StepContext context)
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Those that the runbook names; else those that the server names. Every one must be reachable.</summary>
    public async Task<IReadOnlyList<DetachedReplica>> Find(bool primaryAnswers)
    {
        var named = options.Replicas.Select(context.Target<RedisTarget>).ToList();
        var connected = primaryAnswers ? await Connected() : [];
        if (primaryAnswers)
            await RefuseSentinels();
        var found = new List<DetachedReplica>();
        foreach (var replica in named)
            if (await Ask(replica, replica.At) is { } asked)
                found.Add(asked with { Target = replica.Name });
        if (named.Count < connected.Count)
            foreach (var at in connected.Where(c => named.All(n => n.At.Normalised != c.Normalised)))
                if (await Ask(target, at) is { } asked)
                    found.Add(asked);
        return found;
    }

    /// <summary>Sentinels would promote a replica while the server is stopped, or already have: the restored server would become its replica. A replica that is down may come back, so it does not matter how many there are.</summary>
    public async Task RefuseSentinels()
    {
        await using var redis = await RedisConnection.Open(target, context);
        if ((await Clients(redis)).Count(line => line.Contains(" name=sentinel-", StringComparison.Ordinal) && line.Contains("-cmd ", StringComparison.Ordinal)) is > 0 and var count)
            throw StepFailedException.Conflict(
                $"{redis.Name} is watched by {count} sentinels: they make a replica with the old data the master, or have done so, and undo the restore.",
                "Stop the sentinels for the time of the restore, with `target.stop`, and start them after it.");
    }

    async Task<IEnumerable<string>> Clients(RedisConnection redis)
    {
        try
        {
            return ((string?)await redis.Send("CLIENT", "LIST") ?? "").Split('\n');
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Auth)
        {
            context.Log($"whether sentinels watch {redis.Name} cannot be told. {e.Message}");
            return [];
        }
    }

    async Task<IReadOnlyList<RedisEndpoint>> Connected()
    {
        await using var redis = await RedisConnection.Open(target, context);
        return [.. (await redis.Info("replication")).Rows("slave")
            .Select(row => new RedisEndpoint(row.Fields["ip"], int.Parse(row.Fields["port"], CultureInfo.InvariantCulture)))];
    }

    /// <returns>Null when it follows nobody.</returns>
    async Task<DetachedReplica?> Ask(RedisTarget with, RedisEndpoint at)
    {
        try
        {
            await using var replica = await RedisConnection.Open(with, at, context);
            var info = await replica.Info("replication");
            return info.Text("role") == "slave"
                ? new(at.ToString(), info.Text("master_host")!, (int)info.Number("master_port")!)
                : null;
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            throw new StepFailedException(e.Failure,
                $"The replica at {at} cannot be detached, and it would copy whatever {target.Name} holds meanwhile. {e.Message}",
                "Name it in `replicas` as a target that can be reached from here, or stop it.");
        }
    }

    public async Task Detach(IReadOnlyList<DetachedReplica> replicas)
    {
        foreach (var replica in replicas)
        {
            await context.Leave(new()
            {
                Key = KeyOf(replica),
                Kind = ResidueKind.Other,
                Target = replica.Target,
                What = $"the replica at {replica.Endpoint} follows nobody",
                Command = $"redis-cli {CommandOf(replica)}",
            });
            await using var node = await Open(replica);
            await node.Send("REPLICAOF", "NO", "ONE");
            context.Log($"{node.Name} follows nobody until the data is checked");
        }
        if (replicas.Count > 0)
            await NoneLeft();
    }

    async Task NoneLeft()
    {
        for (var i = 0; i < 50; i++)
        {
            try
            {
                if ((await Connected()).Count == 0)
                    return;
            }
            catch (StepFailedException e) when (e.Failure == FailureClass.Transient)
            {
                return; // a server that is down has none
            }
            await context.Delay(Pause);
        }
        throw StepFailedException.Conflict(
            $"redis '{target.Name}' still has replicas: {string.Join(", ", await Connected())}.", "Name them in `replicas`.");
    }

    /// <summary>Lets them follow again, and waits until they do.</summary>
    public async Task<IReadOnlyList<string>> Attach(IReadOnlyList<DetachedReplica> replicas)
    {
        foreach (var replica in replicas)
        {
            await using var node = await Open(replica);
            await node.Send("REPLICAOF", replica.MasterHost, replica.MasterPort.ToString(CultureInfo.InvariantCulture));
            await Linked(node, replica);
            await context.TakeBack(KeyOf(replica));
            context.Log($"{node.Name} follows {replica.MasterHost}:{replica.MasterPort} again");
        }
        return [.. replicas.Select(r => r.Endpoint)];
    }

    async Task Linked(RedisConnection node, DetachedReplica replica)
    {
        var begun = context.Time.GetTimestamp();
        while ((await node.Info("replication")).Text("master_link_status") != "up")
        {
            if (context.Time.GetElapsedTime(begun) > options.ReadyWithin)
                throw new StepFailedException(FailureClass.TimedOut,
                    $"The replica at {replica.Endpoint} has no link to {replica.MasterHost}:{replica.MasterPort} after {options.ReadyWithin}.",
                    "Is `masterauth` of the replica right? Its log says why. A retry goes on from here.");
            context.Progress(0, null, "bytes");
            await context.Delay(Pause);
        }
    }

    Task<RedisConnection> Open(DetachedReplica replica) => RedisConnection.Open(
        replica.Target is { } name ? context.Target<RedisTarget>(name) : target, RedisEndpoint.Parse(replica.Endpoint), context);

    static string KeyOf(DetachedReplica replica) => $"detached:{replica.Endpoint}";

    static string CommandOf(DetachedReplica replica)
    {
        var at = RedisEndpoint.Parse(replica.Endpoint);
        return $"-h {at.Host} -p {at.Port} REPLICAOF {replica.MasterHost} {replica.MasterPort}";
    }
}
