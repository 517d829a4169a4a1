using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Helix.Runbooks.Steps;
using StackExchange.Redis;

namespace Helix.Steps.Redis;

/// <summary>A data node as the sentinels describe it.</summary>
sealed record SentinelNode(RedisEndpoint At, IReadOnlyList<string> Flags, string? LinkStatus, long Priority)
{
    static readonly string[] Down = ["s_down", "o_down", "disconnected"];

    public bool IsDown => Flags.Any(f => Down.Contains(f));

    /// <summary>Sentinel may promote it: up, with its data flowing (unless the master is gone), and allowed to.</summary>
    public bool IsGood(bool masterIsDown) => !IsDown && Priority > 0 && (masterIsDown || LinkStatus == "ok");
}

/// <summary>What the sentinels that answer know of one master.</summary>
sealed record SentinelView
{
    public required RedisEndpoint Master { get; init; }
    public required bool MasterIsDown { get; init; }
    public required IReadOnlyList<SentinelNode> Replicas { get; init; }
    public required IReadOnlyList<RedisEndpoint> Answering { get; init; }

    /// <summary>What is wrong with quorum, with single sentinels and between them.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    /// <summary>Names of nodes that the sentinels, or this machine, cannot resolve (RED-10).</summary>
    public required IReadOnlyList<string> Unresolved { get; init; }

    public IEnumerable<RedisEndpoint> Nodes => Replicas.Select(r => r.At).Prepend(Master);

    /// <exception cref="StepFailedException">No sentinel answers, or none knows the master.</exception>
    public static async Task<SentinelView> Read(SentinelTarget target, PlanContext context)
    {
        var answers = new List<SentinelAnswer>();
        var problems = new List<string>();
        StepFailedException? last = null;
        foreach (var at in target.At)
            try
            {
                answers.Add(await SentinelAnswer.Ask(target, at, context));
            }
            catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
            {
                last = e;
                problems.Add(e.Message);
            }
        if (answers.Count == 0)
            throw last!;
        // The newest configuration is right: each failover has a higher epoch.
        var newest = answers.MaxBy(a => a.Epoch)!;
        problems.AddRange(answers.Where(a => a.Master != newest.Master).Select(a => $"sentinel at {a.At} still holds {a.Master} for the master, others hold {newest.Master}"));
        problems.AddRange(answers.Select(a => a.QuorumFault).OfType<string>().Distinct());
        return new()
        {
            Master = newest.Master,
            MasterIsDown = newest.MasterIsDown,
            Replicas = [.. newest.Replicas.Where(r => r.At.Host.Length > 0)],
            Answering = [.. answers.Select(a => a.At)],
            Problems = problems,
            Unresolved =
            [
                .. await Unresolvable(answers.SelectMany(a => a.Names), context),
                .. await Nameless(target, newest, context),
            ],
        };
    }

    /// <summary>A node whose name a sentinel cannot resolve has neither name nor address there; its master knows how it calls itself.</summary>
    static async Task<IReadOnlyList<string>> Nameless(SentinelTarget target, SentinelAnswer answer, PlanContext context)
    {
        var ports = answer.Replicas.Where(r => r.At.Host.Length == 0).Select(r => r.At.Port).ToList();
        if (ports.Count == 0)
            return [];
        var names = new Dictionary<int, string>();
        try
        {
            await using var master = await RedisConnection.Open(target.Node(answer.Master), context);
            foreach (var (_, row) in (await master.Info("replication")).Rows("slave"))
                names[int.Parse(row["port"], CultureInfo.InvariantCulture)] = row["ip"];
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Transient)
        {
            // then there is no name to be had
        }
        return [.. ports.Select(port => names.GetValueOrDefault(port, $"of the replica with port {port}"))];
    }

    static async Task<IReadOnlyList<string>> Unresolvable(IEnumerable<string> names, PlanContext context)
    {
        var failing = new List<string>();
        foreach (var name in names.Distinct().Where(n => !IPAddress.TryParse(n, out _)))
            try
            {
                await Dns.GetHostAddressesAsync(name, context.Cancelled);
            }
            catch (SocketException)
            {
                failing.Add(name);
            }
        return failing;
    }
}

/// <summary>What one sentinel says.</summary>
sealed record SentinelAnswer(RedisEndpoint At, RedisEndpoint Master, bool MasterIsDown, long Epoch, IReadOnlyList<SentinelNode> Replicas, IReadOnlyList<string> Names, string? QuorumFault)
{
    public static async Task<SentinelAnswer> Ask(SentinelTarget target, RedisEndpoint at, PlanContext context)
    {
        await using var sentinel = await RedisConnection.Open(target, at, context);
        var master = await Of(sentinel, target, "MASTER");
        var replicas = await Many(sentinel, target, "REPLICAS");
        var others = await Many(sentinel, target, "SENTINELS");
        return new(
            at,
            EndpointOf(master),
            FlagsOf(master).Contains("o_down") || FlagsOf(master).Contains("s_down"),
            Number(master, "config-epoch"),
            [.. replicas.Select(r => new SentinelNode(EndpointOf(r), FlagsOf(r), r.GetValueOrDefault("master-link-status"), Number(r, "slave-priority")))],
            [.. replicas.Concat(others).Append(master).Select(n => n.GetValueOrDefault("ip", "")).Where(n => n.Length > 0)],
            await Quorum(sentinel, target));
    }

    static async Task<string?> Quorum(RedisConnection sentinel, SentinelTarget target)
    {
        try
        {
            await sentinel.Send("SENTINEL", "CKQUORUM", target.Master);
            return null;
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Conflict)
        {
            return e.Message;
        }
    }

    static async Task<Dictionary<string, string>> Of(RedisConnection sentinel, SentinelTarget target, string what)
    {
        try
        {
            return Pairs(await sentinel.Send("SENTINEL", what, target.Master));
        }
        catch (StepFailedException e) when (e.Message.Contains("No such master", StringComparison.Ordinal))
        {
            throw StepFailedException.Missing($"{sentinel.Name} watches no master named '{target.Master}'.", "`SENTINEL MASTERS` lists the names; is `master` of the target right?");
        }
    }

    static async Task<IReadOnlyList<Dictionary<string, string>>> Many(RedisConnection sentinel, SentinelTarget target, string what) =>
        [.. ((RedisResult[])(await sentinel.Send("SENTINEL", what, target.Master))!).Select(Pairs)];

    static Dictionary<string, string> Pairs(RedisResult flat) =>
        ((string?[])flat!).Chunk(2).Where(p => p.Length == 2).ToDictionary(p => p[0]!, p => p[1] ?? "");

    static RedisEndpoint EndpointOf(Dictionary<string, string> node) => new(node["ip"], (int)Number(node, "port"));
    static string[] FlagsOf(Dictionary<string, string> node) => node.GetValueOrDefault("flags", "").Split(',');
    static long Number(Dictionary<string, string> node, string name) =>
        long.TryParse(node.GetValueOrDefault(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
