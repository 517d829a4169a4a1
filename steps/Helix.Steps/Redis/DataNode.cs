using Helix.Runbooks.Steps;

namespace Helix.Steps.Redis;

/// <summary>What a data node says of itself; sentinels may be behind.</summary>
sealed record DataNode(RedisEndpoint At, string? Role, ReplicaLink? Link, long Offset)
{
    public bool IsMaster => Role == "master";
    public bool Answers => Role is not null;

    public static async Task<IReadOnlyList<DataNode>> Ask(SentinelTarget target, IEnumerable<RedisEndpoint> nodes, PlanContext context)
    {
        var asked = new List<DataNode>();
        foreach (var at in nodes.DistinctBy(n => n.Normalised))
            asked.Add(await Ask(target, at, context));
        return asked;
    }

    /// <exception cref="StepFailedException">The node refuses the password: that is no outage.</exception>
    static async Task<DataNode> Ask(SentinelTarget target, RedisEndpoint at, PlanContext context)
    {
        try
        {
            await using var node = await RedisConnection.Open(target.Node(at), context);
            var info = await node.Info("replication");
            return new(at, info.Text("role"), await ReplicaLink.Of(node, null, $"{at}"), info.Number("master_repl_offset") ?? 0);
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Transient)
        {
            return new(at, null, null, 0);
        }
    }
}
