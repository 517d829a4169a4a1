using System.Globalization;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Redis;

/// <summary>How a replica follows: its link, and by how many bytes it is behind.</summary>
sealed record ReplicaLink(string Node, bool IsReplica, bool Up, string Follows, long Behind)
{
    /// <summary>The primary that it should follow has another history: its offsets say nothing of this one.</summary>
    public bool Foreign { get; init; }

    /// <summary>Asks the replica itself: one without the right password never shows up at its primary (RED-15).</summary>
    /// <param name="primary">What the primary says of itself; null where only the link is of interest.</param>
    public static async Task<ReplicaLink> Of(RedisConnection replica, RedisInfo? primary, string node)
    {
        var info = await replica.Info("replication");
        return new(
            node,
            info.Text("role") == "slave",
            info.Text("master_link_status") == "up" && !info.Flag("master_sync_in_progress"),
            $"{info.Text("master_host")}:{info.Text("master_port")}",
            Math.Max(0, (primary?.Number("master_repl_offset") ?? 0) - (info.Number("slave_repl_offset") ?? 0)))
        {
            // The same for a replica of a replica; missing before Redis 4.
            Foreign = primary?.Text("master_replid") is { } history && info.Text("master_replid") is { } followed && history != followed,
        };
    }

    /// <returns>Null when it follows well enough.</returns>
    public string? Fault(long maxBehind) =>
        !IsReplica ? $"{Node} is no replica"
        : !Up ? $"{Node} has no link to its primary {Follows}"
        : Foreign ? $"{Node} follows another primary, {Follows}"
        : Behind > maxBehind ? $"{Node} is {Behind.ToString("N0", CultureInfo.InvariantCulture)} bytes behind"
        : null;

    public const string Hint = "Is `masterauth` of that node the password of its primary? Its log says why the link is down.";
}
