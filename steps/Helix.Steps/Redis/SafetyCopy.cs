using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Redis;

/// <summary>Keeps what a server holds before that is replaced.</summary>
sealed class SafetyCopy(RedisTarget target, StepContext context)
{
    /// <returns>The file; null when there was nothing to keep.</returns>
    public async Task<string?> Take(string? wanted, RestoreProgress found)
    {
        var path = LocalFile.FreeName(context.FullPath(wanted ?? Path.Combine(context.Run.Safe, $"{target.Name}-before.rdb")));
        await context.Leave(new()
        {
            Key = $"safety-copy:{path}",
            Kind = ResidueKind.SafetyCopy,
            Target = target.Name,
            What = $"what {target.Name} held before the restore is in {path}",
            Command = $"rm {path}",
        });
        var kept = found.WasRunning ? await TakeSnapshot(path) : await TakeFiles(path, found);
        if (kept is null)
            await context.TakeBack($"safety-copy:{path}");
        return kept;
    }

    /// <summary>Holds the whole data, whatever the append-only file holds.</summary>
    async Task<string> TakeSnapshot(string path)
    {
        await using var redis = await RedisConnection.Open(target, context);
        var saved = await RedisSave.SaveSnapshot(target, redis, path, context);
        context.Log($"what {redis.Name} holds is kept in {path}");
        return saved.File;
    }

    /// <summary>The files of a server that is down, as they are: perhaps damaged, so unchecked.</summary>
    async Task<string?> TakeFiles(string path, RestoreProgress found)
    {
        if (found.AppendOnly == AppendOnlyWay.AsBase)
            await TakeAppendOnly($"{path}.aof.tar", found);
        try
        {
            await LocalFile.Write(path, file => target.Service.CopyOut(context, found.DataFile, file), partial => Task.FromResult(partial));
            context.Log($"the data file of {target.Name} is kept in {path}, unchecked");
            return path;
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Missing)
        {
            context.Log($"{target.Name} has no data file, so there is nothing to keep");
            return null;
        }
    }

    async Task TakeAppendOnly(string path, RestoreProgress found)
    {
        if (await ServiceFile.Text(target.Service, found.AppendManifest, context) is { } manifest)
            await LocalFile.Write(path, file => AppendOnlyCopy.Archive(found.AppendManifest, manifest, file, IfThere, context), partial => Task.FromResult(partial));

        async Task<bool> IfThere(string part, Stream spool)
        {
            try
            {
                await target.Service.CopyOut(context, part, spool);
                return true;
            }
            catch (StepFailedException e) when (e.Failure == FailureClass.Missing)
            {
                return false;
            }
        }
    }
}
