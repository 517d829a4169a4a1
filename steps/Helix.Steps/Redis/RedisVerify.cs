using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Helix.Runbooks.Steps;
using StackExchange.Redis;

namespace Helix.Steps.Redis;

public sealed record RedisVerifyOptions
{
    [Description("The server to check.")]
    [TargetName("redis")]
    [Example("redis")]
    public required string Target { get; init; }

    [Description("Keys per database that it must hold, as a manifest says: db0, db0_expiring. Keys with a time to live may be gone.")]
    [Example("{ db0: 10000 }")]
    public IReadOnlyDictionary<string, long>? Counts { get; init; }

    [Description("By how many percent a database may differ from its count, for a server that clients write to.")]
    [Range(0, 100)]
    public double Tolerance { get; init; }

    [Description("Keys that must be there, beside those of the target.")]
    public IReadOnlyList<RedisCheck> Checks { get; init; } = [];

    [Description("Another target whose checks this server must pass too: what was restored from it.")]
    [TargetName("redis")]
    [Example("redis")]
    public string? ChecksOf { get; init; }

    [Description("How many keys, taken at random, are read.")]
    [Range(0, 100_000)]
    public int Sample { get; init; } = 100;

    [Description("Replicas that must follow, beside those that the server names.")]
    [TargetName("redis")]
    public IReadOnlyList<string> Replicas { get; init; } = [];

    [Description("By how many bytes a replica may be behind.")]
    public ByteSize MaxBehind { get; init; } = new(1 << 20);
}

public sealed record RedisVerifyOutputs
{
    [Description("Keys per database.")]
    public required IReadOnlyDictionary<string, long> Counts { get; init; }

    [Description("Keys taken at random that were read.")]
    public required int Sampled { get; init; }

    [Description("Named keys that were checked.")]
    public required int Checked { get; init; }

    [Description("Replicas that follow.")]
    public required IReadOnlyList<string> Replicas { get; init; }
}

[Step("redis.verify", "Checks key counts, sampled and named keys, and that every replica follows.")]
public sealed class RedisVerify : Step<RedisVerifyOptions, RedisVerifyOutputs>
{
    public override IEnumerable<TargetEffect> Effects(RedisVerifyOptions options) =>
        [TargetEffect.Reads(options.Target), .. options.Replicas.Select(TargetEffect.Reads)];

    public override async Task<RedisVerifyOutputs> Run(RedisVerifyOptions options, StepContext context)
    {
        var target = context.Target<RedisTarget>(options.Target);
        await using var redis = await RedisConnection.Open(target, context);
        var info = await redis.Info();
        if (info.Flag("loading"))
            throw RedisConnection.Loading(redis.Name);
        var counts = KeyCounts.Of(info);
        var faults = Differences(counts, options).ToList();
        var named = target.Checks.Concat(options.ChecksOf is { } other ? context.Target<RedisTarget>(other).Checks : []).Concat(options.Checks).ToList();
        foreach (var check in named)
            if (await new KeyReader(redis, target.Database).Fault(check) is { } fault)
                faults.Add(fault);
        var sampled = await Sample(redis, counts, options.Sample, context);
        var links = await Links(target, redis, info, options, context);
        faults.AddRange(links.Select(l => l.Fault(options.MaxBehind.Bytes)).OfType<string>());
        context.Log($"{redis.Name}: {counts}, {sampled} sampled, {links.Count} replicas");
        if (faults.Count > 0)
            throw StepFailedException.InvalidData($"{redis.Name} is not as it should be: {string.Join("; ", faults)}.",
                links.Any(l => l.Fault(options.MaxBehind.Bytes) is not null) ? ReplicaLink.Hint : null);
        return new() { Counts = counts.ToOutputs(), Sampled = sampled, Checked = named.Count, Replicas = [.. links.Select(l => l.Node)] };
    }

    static IEnumerable<string> Differences(KeyCounts counts, RedisVerifyOptions options) =>
        options.Counts is { } expected ? counts.DifferencesTo(KeyCounts.Of(expected), options.Tolerance / 100) : [];

    /// <summary>Reads random keys whole: a value that cannot be read is an error reply, which throws.</summary>
    static async Task<int> Sample(RedisConnection redis, KeyCounts counts, int wanted, StepContext context)
    {
        var read = 0;
        foreach (var database in counts.Databases.Where(d => d.Keys > 0))
        {
            var reader = new KeyReader(redis, database.Database);
            var share = (int)Math.Ceiling(wanted * (double)database.Keys / counts.Total);
            for (var i = 0; i < share && read < wanted; i++)
            {
                if (await reader.ReadAny())
                    read++;
                context.Progress(read, wanted, "keys");
            }
        }
        return read;
    }

    static async Task<IReadOnlyList<ReplicaLink>> Links(RedisTarget target, RedisConnection redis, RedisInfo info, RedisVerifyOptions options, StepContext context)
    {
        var named = options.Replicas.Select(context.Target<RedisTarget>).Select(t => (With: t, t.At)).ToList();
        var shown = info.Rows("slave").Select(row => (With: target, At: new RedisEndpoint(row.Fields["ip"], int.Parse(row.Fields["port"], CultureInfo.InvariantCulture))))
            .Where(s => named.All(n => n.At.Normalised != s.At.Normalised));
        var links = new List<ReplicaLink>();
        foreach (var (with, at) in named.Concat(shown))
            links.Add(await Link(with, at, info, context));
        return links;
    }

    static async Task<ReplicaLink> Link(RedisTarget with, RedisEndpoint at, RedisInfo primary, StepContext context)
    {
        try
        {
            await using var replica = await RedisConnection.Open(with, at, context);
            return await ReplicaLink.Of(replica, primary, $"the replica at {at}");
        }
        catch (StepFailedException e) when (e.Failure is FailureClass.Transient)
        {
            throw StepFailedException.Transient($"The replica at {at} does not answer. {e.Message}", "Name it in `replicas` by an address that can be reached from here.");
        }
    }
}
