using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Redis;

public sealed record RedisRestoreOptions
{
    [Description("The server whose data is replaced.")]
    [TargetName("redis")]
    [Example("redis")]
    public required string Target { get; init; }

    [Description("The RDB file that is loaded.")]
    [Example("\"{{ steps.fetch.file }}\"")]
    public required string From { get; init; }

    [Description("Keys per database that the file must hold, as its manifest says: db0, db0_expiring.")]
    [Example("{ db0: 10000 }")]
    public IReadOnlyDictionary<string, long>? Counts { get; init; }

    [Description("Where a copy of the present data is kept. Default: a file in the run's folder for safety copies.")]
    public string? SafetyCopy { get; init; }

    [Description("Keep no copy of the present data.")]
    public bool SkipSafetyCopy { get; init; }

    [Description("Replicas that the server does not name itself, or not by an address that can be reached from here.")]
    [TargetName("redis")]
    public IReadOnlyList<string> Replicas { get; init; } = [];

    [Description("How long the server may take to stop before it is killed.")]
    public Duration Grace { get; init; } = new(TimeSpan.FromSeconds(30));

    [Description("How long it may take to load, to rebuild its append-only file, and the replicas to follow; each.")]
    public Duration ReadyWithin { get; init; } = new(TimeSpan.FromMinutes(10));

    [Description("The account that owns the files, where they were removed and cannot be looked up.")]
    [Example("redis")]
    [RegularExpression("^[A-Za-z0-9_.:-]+$", ErrorMessage = "{0} must be an account, or account:group.")]
    public string? Owner { get; init; }
}

public sealed record RedisRestoreOutputs
{
    [Description("Keys per database after the load.")]
    public required IReadOnlyDictionary<string, long> Counts { get; init; }

    [Description("Keys that the server read from the file.")]
    public required long Loaded { get; init; }

    [Description("Digest of the file that was loaded.")]
    public required string Sha256 { get; init; }

    [Description("The copy of what was there before; missing when there was nothing or none was wanted.")]
    public string? SafetyCopy { get; init; }

    [Description("Replicas that follow again.")]
    public required IReadOnlyList<string> Replicas { get; init; }
}

[Step("redis.restore", "Replaces the data of a Redis server by an RDB file and checks what was loaded.")]
public sealed class RedisRestore : Step<RedisRestoreOptions, RedisRestoreOutputs>
{
    public override IEnumerable<TargetEffect> Effects(RedisRestoreOptions options) =>
    [
        TargetEffect.Destroys(options.Target, "all keys of the server") with { LoadsFrom = "from" },
        .. options.Replicas.Select(TargetEffect.Changes),
    ];

    public override async Task<StepPlan> Plan(RedisRestoreOptions options, PlanContext context)
    {
        var target = context.Target<RedisTarget>(options.Target);
        _ = target.ServiceFor("redis.restore");
        try
        {
            await using var redis = await RedisConnection.Open(target, context);
            var info = await redis.Info();
            return new()
            {
                Lines = [$"replaces {KeyCounts.Of(info)} of {redis.Name} by {options.From}",
                    $"{info.Number("connected_slaves") ?? 0} replicas are detached and attached again"],
                LocalBytes = options.SkipSafetyCopy ? 0 : info.Number("used_memory"),
            };
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return new() { Lines = [$"replaces all keys of redis '{target.Name}' by {options.From}"], Warnings = [e.Message] };
        }
    }

    public override async Task<RedisRestoreOutputs> Run(RedisRestoreOptions options, StepContext context)
    {
        var target = context.Target<RedisTarget>(options.Target);
        _ = target.ServiceFor("redis.restore");
        var file = await Sound(options, context);
        var restore = new Restoration(target, file, options, context);
        return await restore.Run();
    }

    /// <summary>Everything that can be known of the file is checked before anything is touched.</summary>
    static async Task<RdbFile> Sound(RedisRestoreOptions options, StepContext context)
    {
        var file = await RdbFile.Read(context.FullPath(options.From), context.Cancelled);
        if (options.Counts is { } wanted && file.Counts is { } held
            && held.DifferencesTo(KeyCounts.Of(wanted)).FirstOrDefault() is { } difference)
            throw StepFailedException.InvalidData($"{file.Path} does not hold what was promised: {difference}.", "Is it the file of that manifest? Choose another backup.");
        context.Log($"{file.Path} is sound: RDB version {file.Version}, {file.Counts?.ToString() ?? "kinds of values that cannot be counted here"}.");
        return file;
    }

    public override async Task<ProbeResult<RedisRestoreOutputs>> Probe(RedisRestoreOptions options, StepContext context)
    {
        var saved = RestoreProgress.Of(context);
        if (saved is null)
            return ProbeResult<RedisRestoreOutputs>.NotDone("nothing was changed yet");
        if (saved.Outputs is { } outputs)
            return ProbeResult<RedisRestoreOutputs>.Done(outputs, "the step had finished");
        if (saved.Stage < RestoreStage.Starting)
            return ProbeResult<RedisRestoreOutputs>.NotDone("the server had not been started on the new data");
        if (saved.Stage >= RestoreStage.Checked)
            return ProbeResult<RedisRestoreOutputs>.NotDone("the data was loaded and checked; what remains goes on from there");
        if ((await context.Target<RedisTarget>(options.Target).Service.State(context)).Status != Targets.RuntimeStatus.Running)
            return ProbeResult<RedisRestoreOutputs>.NotDone("the file is in its place and the server is down");
        return await LoadedWhole(options, saved, context)
            ? ProbeResult<RedisRestoreOutputs>.NotDone("the data is loaded; the check and what comes after it go on from there")
            : ProbeResult<RedisRestoreOutputs>.Unknown("the server was being started on the new data and what it holds cannot be told to be that");
    }

    static async Task<bool> LoadedWhole(RedisRestoreOptions options, RestoreProgress saved, StepContext context)
    {
        try
        {
            await using var redis = await RedisConnection.Open(context.Target<RedisTarget>(options.Target), context);
            var file = await RdbFile.Read(context.FullPath(options.From), context.Cancelled);
            return file.Sha256 == saved.Sha256 && LoadCheck.Fault(file, await redis.Info()) is null;
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return false;
        }
    }
}
