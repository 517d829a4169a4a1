using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Redis;

/// <summary>After a restore that did not come to its check: the server runs again, on its old data where that is certain, and its settings are back.</summary>
sealed class RestoreUndo(RedisTarget target, RedisRestoreOptions options, StepContext context)
{
    /// <summary>Never throws: what could not be put back is logged, and stays in the residue.</summary>
    public async Task PutBack(RestoreProgress at)
    {
        var oldData = at.Stage < RestoreStage.Placing;
        await Try("start it again", async () => oldData = await Run(at) || oldData);
        await Try("put its settings back", () => Settings(at));
        if (oldData)
            await Try("attach its replicas", () => new DetachedReplicas(target, options, context).Attach(at.Replicas));
        else if (at.Replicas.Count > 0)
            context.Log($"The replicas of {target.Name} stay detached: they hold what was there before.");
        await Try("record this", () => (at with { Stage = at.Stage.AtMost(oldData ? RestoreStage.Kept : RestoreStage.Placing) }).Save(context));
    }

    /// <returns>True when the old data was put back.</returns>
    async Task<bool> Run(RestoreProgress at)
    {
        if ((await target.Service.State(context)).Status == RuntimeStatus.Running)
            return false;
        var back = at.Stage >= RestoreStage.Placing && at is { WasRunning: true, SafetyCopy: not null };
        if (back)
        {
            context.Log($"putting back what {target.Name} held before");
            // Said first: after a crash the old data must not pass for the restored, which may have as many keys.
            await (at with { Stage = RestoreStage.Placing }).Save(context);
            await new DataPlace(target.Service, at, options.Owner, context).Put(at.SafetyCopy!);
        }
        if (!at.WasRunning && at.Stage < RestoreStage.Placing)
            return false; // it was down when we came, and nothing was changed
        await target.Service.Start(context);
        await new Loading(target, options.ReadyWithin, context).Ended();
        await context.TakeBack(RunningTargets.StoppedKey(target.Name));
        context.Log($"{target.Name} runs again{(back ? " on its old data" : "")}");
        return back;
    }

    async Task Settings(RestoreProgress at)
    {
        if (!at.WasRunning || at.Stage < RestoreStage.Quiet)
            return;
        await using var redis = await RedisConnection.Open(target, context);
        if (at.SavePoints is not null)
            await redis.Set("save", at.SavePoints);
        if (at.AppendOnly == AppendOnlyWay.Switched)
            await new AppendOnlySwitch(redis, target, context).On(options.ReadyWithin);
    }

    async Task Try(string what, Func<Task> part)
    {
        try
        {
            await part();
        }
        catch (Exception e) when (e is StepFailedException or OperationCanceledException or IOException)
        {
            context.Log($"redis '{target.Name}': could not {what}. {e.Message}");
        }
    }
}
