using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Backups;

public enum VerifyDepth
{
    /// <summary>Manifest readable, object there with the right size.</summary>
    Structure,
    /// <summary>Also reads every byte and compares both digests.</summary>
    ReadAll,
    /// <summary>Structure of all, every byte of the newest and of a few others, other ones each time.</summary>
    Subset,
}

public sealed record BackupVerifyOptions
{
    [Description("Where the backups are.")]
    [TargetName("s3", "directory")]
    public required string Target { get; init; }

    [Description("The series: the start of the keys, ending with '/'. May be left out when one backup is named by its key.")]
    [Example("redis/")]
    public string? Prefix { get; init; }

    [Description("all, or one: latest, latest-proven, before:TIMESTAMP, age:DURATION, or a key.")]
    public string Backup { get; init; } = "all";

    [Description("structure: manifest and size. read-all: every byte. subset: every byte of the newest and of a few others.")]
    public VerifyDepth Depth { get; init; } = VerifyDepth.ReadAll;

    [Description("How many are read with depth subset, the newest included.")]
    [Range(1, 1000)]
    public int Subset { get; init; } = 3;

    [Description("Fail when a count differs from the backup of the same kind and source before it by more than so many percent.")]
    [Range(1, 1000)]
    public int? MaxCountChange { get; init; }

    [Description("Fail when the newest good one is older than this.")]
    public Duration? MaxAge { get; init; }
}

public sealed record BackupVerifyOutputs
{
    /// <summary>How many were looked at.</summary>
    public required int Checked { get; init; }

    /// <summary>How many of them were read to the last byte.</summary>
    public required int Read { get; init; }
    public required long BytesRead { get; init; }

    /// <summary>The newest good one, and when its data stands for.</summary>
    public required string Newest { get; init; }
    public required DateTimeOffset RecoveryPoint { get; init; }
}

[Step("backup.verify", "Checks that backups are whole and are what their manifests say.")]
sealed class BackupVerify : Step<BackupVerifyOptions, BackupVerifyOutputs>
{
    public override IEnumerable<TargetEffect> Effects(BackupVerifyOptions options) => [TargetEffect.Reads(options.Target)];

    public override async Task<BackupVerifyOutputs> Run(BackupVerifyOptions options, StepContext context)
    {
        await using var store = await context.Target<BackupTarget>(options.Target).Open(context);
        var series = new BackupSeries(store, options.Backup == "all" ? options.Prefix ?? "" : BackupSeries.PrefixFor(options.Prefix, options.Backup));
        var all = await series.List(context.Cancelled);
        var chosen = await Chosen(series, all, options, context);
        var bad = chosen.Where(e => e.State is BackupState.Damaged or BackupState.Future).ToDictionary(e => e.Key, e => e.Problem!);
        // One that was found bad is chosen only by its key.
        var good = chosen.Where(e => e.State == BackupState.Complete || (e.State == BackupState.FoundBad && options.Backup != "all")).ToList();
        long bytes = 0;
        var read = 0;
        foreach (var entry in Readable(good, options, context.Run.Id))
        {
            if (await Fault(store, entry.Manifest!, done => context.Progress(bytes + done), context) is { } fault)
                bad[entry.Key] = fault;
            bytes += entry.Manifest!.Content.Size;
            read++;
        }
        Report(chosen, bad, context);
        var newest = good.FirstOrDefault(e => !bad.ContainsKey(e.Key))
            ?? throw StepFailedException.InvalidData($"There is no good backup below {options.Prefix} in {store.Place}.", "Make one now, and find out why.");
        CheckAge(newest.Manifest!, options, context);
        CountChange.Check(CountChange.Before(all, newest.Manifest!), newest.Manifest!, options.MaxCountChange, context);
        return new() { Checked = chosen.Count, Read = read, BytesRead = bytes, Newest = newest.Key, RecoveryPoint = newest.Manifest!.RecoveryPoint };
    }

    static async Task<IReadOnlyList<BackupEntry>> Chosen(BackupSeries series, IReadOnlyList<BackupEntry> all, BackupVerifyOptions options, StepContext context)
    {
        if (options.Backup == "all")
            return all;
        var one = await series.Select(options.Backup, context.Time.GetUtcNow(), context.Log, context.Cancelled);
        return [.. all.Where(e => e.Key == one.Key)];
    }

    static IEnumerable<BackupEntry> Readable(List<BackupEntry> good, BackupVerifyOptions options, string run) => options.Depth switch
    {
        VerifyDepth.Structure => [],
        VerifyDepth.ReadAll => good,
        // The order depends on the run, so that in time every backup has its turn.
        _ => good.Take(1).Concat(good.Skip(1).OrderBy(e => Mark(run, e.Key))).Take(options.Subset),
    };

    static string Mark(string run, string key) =>
        Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(run + "/" + key)));

    static async Task<string?> Fault(BackupStore store, BackupManifest manifest, Action<long> progress, StepContext context)
    {
        try
        {
            await BackupReader.ReadAll(store, manifest, Transfer.Of(context) with { Progress = progress });
            return null;
        }
        catch (StepFailedException e) when (e.Failure is FailureClass.InvalidData or FailureClass.Missing)
        {
            return e.Message;
        }
    }

    static void Report(IReadOnlyList<BackupEntry> chosen, Dictionary<string, string> bad, StepContext context)
    {
        foreach (var entry in chosen)
            context.Log(bad.TryGetValue(entry.Key, out var fault) ? $"{entry.Key}: BAD, {fault}" : $"{entry.Key}: {entry.Problem ?? "good"}");
        if (bad.Count > 0)
            throw StepFailedException.InvalidData(
                $"{bad.Count} of {chosen.Count} backups are bad: {string.Join("; ", bad.Take(5).Select(b => $"{b.Key}: {b.Value}"))}",
                $"So that nobody restores one: helix backups reject {bad.First().Key} -e … --reason …");
    }

    static void CheckAge(BackupManifest newest, BackupVerifyOptions options, StepContext context)
    {
        var age = context.Time.GetUtcNow() - newest.RecoveryPoint;
        if (options.MaxAge is { } most && age > most)
            throw StepFailedException.InvalidData(
                $"The newest good backup, {newest.Key}, stands for {newest.RecoveryPoint:u}: that is {Age(age)} ago, and {most} are allowed.",
                "Is the schedule running?");
    }

    static string Age(TimeSpan age) => new Duration(TimeSpan.FromSeconds(Math.Floor(age.TotalSeconds))).ToString();
}
