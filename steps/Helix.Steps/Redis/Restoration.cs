using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Redis;

/// <summary>One restore: keep what is there, keep replicas away, stop, place, start, check, and let everything follow again.</summary>
sealed class Restoration(RedisTarget target, RdbFile file, RedisRestoreOptions options, StepContext context)
{
    static readonly TimeSpan PuttingBack = TimeSpan.FromMinutes(2);

    /// <summary>Sentinels try once a second to reach a server that is down.</summary>
    static readonly TimeSpan SentinelsCome = TimeSpan.FromSeconds(2);

    readonly Runtime _service = target.Service;
    readonly Loading _loading = new(target, options.ReadyWithin, context);
    readonly DetachedReplicas _replicas = new(target, options, context);
    RestoreProgress _at = null!;
    bool _wasDown;

    public async Task<RedisRestoreOutputs> Run()
    {
        _at = await RestoreSurvey.Make(target, file, context);
        _wasDown = !_at.WasRunning;
        await _at.Save(context);
        try
        {
            if (_at.Stage < RestoreStage.Checked)
                await Load();
            await AppendOnlyOn();
            return await Finish(await _replicas.Attach(_at.Replicas));
        }
        catch when (_at.Stage < RestoreStage.Checked)
        {
            using var limit = new CancellationTokenSource(PuttingBack, context.Time);
            await new RestoreUndo(target, options, context.Until(limit.Token)).PutBack(_at);
            throw;
        }
    }

    async Task Load()
    {
        if (_at.Stage < RestoreStage.Kept || await ServesOldData())
            await Keep();
        if (_at.Stage < RestoreStage.Starting)
        {
            await DetachReplicas();
            await Quieten();
            await Stop();
            await Place();
        }
        await Start();
        if (await AppendOnlyWasHidden())
            await Load();
        else
            await Check();
    }

    /// <summary>Between the attempts it took writes: a copy that an earlier one made lacks them, so another is made.</summary>
    async Task<bool> ServesOldData() =>
        _at.Stage < RestoreStage.Placing && (await _service.State(context)).Status == RuntimeStatus.Running;

    /// <summary>Lowers no stage: from <c>Quiet</c> on there are settings to be put back.</summary>
    async Task Keep()
    {
        var kept = options.SkipSafetyCopy ? _at.SafetyCopy : await new SafetyCopy(target, context).Take(options.SafetyCopy, _at);
        await Reach(_at with { Stage = _at.Stage.AtLeast(RestoreStage.Kept), SafetyCopy = kept });
    }

    /// <summary>Replicas copy whatever the server holds, an empty set too; so they follow nobody until it is checked (RED-07).</summary>
    async Task DetachReplicas()
    {
        if (_at.Replicas.Count == 0)
            await Reach(_at with { Replicas = await _replicas.Find(_at.WasRunning) });
        await _replicas.Detach(_at.Replicas);
    }

    /// <summary>No save at shutdown, and no append-only file at the next start.</summary>
    async Task Quieten()
    {
        await Reach(_at with { Stage = _at.Stage.AtLeast(RestoreStage.Quiet) });
        if (!_at.WasRunning || (await _service.State(context)).Status != RuntimeStatus.Running)
            return;
        await using var redis = await RedisConnection.Open(target, context);
        var appendOnly = new AppendOnlySwitch(redis, target, context);
        if (_at.AppendOnly == AppendOnlyWay.Switched && !await appendOnly.Off(_at.SavePoints))
            await Reach(_at with { AppendOnly = AppendOnlyWay.AsBase });
        if (_at.SavePoints is not null)
            await redis.Set("save", "");
    }

    async Task Stop()
    {
        await context.Leave(RunningTargets.Stopped(target.Name, _service));
        context.Log($"stopping {target.Name}");
        await _service.Stop(context, options.Grace);
    }

    async Task Place()
    {
        await Reach(_at with { Stage = RestoreStage.Placing });
        await new DataPlace(_service, _at, options.Owner, context).Put(file.Path);
        await Reach(_at with { Stage = RestoreStage.Starting });
    }

    async Task Start()
    {
        context.Log($"starting {target.Name} on {ByteSize.Words(file.Size)} of data");
        await _loading.Begin();
        await _loading.Ended();
        await context.TakeBack(RunningTargets.StoppedKey(target.Name));
    }

    /// <summary>A server that was down could not be asked: now it says that it keeps an append-only file, which hid ours.</summary>
    async Task<bool> AppendOnlyWasHidden()
    {
        if (_at.AppendOnly != AppendOnlyWay.None)
            return false;
        await using var redis = await RedisConnection.Open(target, context);
        if (await redis.Setting("appendonly") != "yes")
            return false;
        context.Log($"{target.Name} keeps an append-only file and did not read the restored one; loading again around it.");
        await Reach(await RestoreSurvey.Running(target, redis, file) with { Replicas = _at.Replicas });
        return true;
    }

    async Task Check()
    {
        if (_wasDown)
            await context.Delay(SentinelsCome);
        await _replicas.RefuseSentinels();
        await using var redis = await RedisConnection.Open(target, context);
        var info = await redis.Info();
        RefuseFollower(redis, info);
        if (LoadCheck.Fault(file, info) is { } fault)
            throw StepFailedException.InvalidData($"{redis.Name} did not load the file whole: {fault}.",
                _at.SafetyCopy is null ? "The server's log says why." : $"The server's log says why. What was there before is in {_at.SafetyCopy}.");
        context.Log($"{redis.Name} loaded {KeyCounts.Of(info)}");
        await Reach(_at with { Stage = RestoreStage.Checked });
    }

    /// <summary>A server that was down could not be asked for its role: the full sync would replace what was loaded, a moment after it was checked.</summary>
    static void RefuseFollower(RedisConnection redis, RedisInfo info)
    {
        if (info.Text("role") != "master")
            throw StepFailedException.Conflict(
                $"{redis.Name} follows {info.Text("master_host")}:{info.Text("master_port")} since it was started: what was loaded into it is overwritten by what that server holds.",
                "Take `replicaof` out of its configuration, where sentinels write it when another server becomes master; or restore that master.");
    }

    async Task AppendOnlyOn()
    {
        if (_at.AppendOnly == AppendOnlyWay.Switched)
        {
            await using var redis = await RedisConnection.Open(target, context);
            await new AppendOnlySwitch(redis, target, context).On(options.ReadyWithin);
        }
        await Reach(_at with { Stage = RestoreStage.AppendOnly });
    }

    async Task<RedisRestoreOutputs> Finish(IReadOnlyList<string> replicas)
    {
        await using var redis = await RedisConnection.Open(target, context);
        var info = await redis.Info();
        var outputs = new RedisRestoreOutputs
        {
            Counts = KeyCounts.Of(info).ToOutputs(),
            Loaded = file.Counts?.Total ?? KeyCounts.Of(info).Total,
            Sha256 = file.Sha256,
            SafetyCopy = _at.SafetyCopy,
            Replicas = replicas,
        };
        await Reach(_at with { Stage = RestoreStage.Done, Outputs = outputs });
        return outputs;
    }

    Task Reach(RestoreProgress next)
    {
        _at = next;
        return _at.Save(context);
    }
}
