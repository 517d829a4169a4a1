using System.Globalization;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Redis;

/// <summary>Puts an RDB file where a stopped server reads it at its next start.</summary>
sealed class DataPlace(Runtime service, RestoreProgress found, string? owner, StepContext context)
{
    readonly FileOwner _owner = new(owner, null);

    public async Task Put(string rdb)
    {
        await Copy(rdb, found.DataFile);
        if (found.AppendOnly == AppendOnlyWay.AsBase)
            await PutAsBase(rdb);
    }

    /// <summary>Since Redis 7 a manifest names the parts: a new base under a new number, then the manifest that names nothing else, then the old parts go.</summary>
    async Task PutAsBase(string rdb)
    {
        if (found.AppendFolder is not { } folder || await ServiceFile.Text(service, found.AppendManifest, context) is not { } manifest)
        {
            // Before Redis 7 there is one file, which may begin with an RDB part.
            await Copy(rdb, $"{found.AppendFolder}/{found.AppendFile}");
            return;
        }
        var parts = AppendOnlyCopy.Parts(manifest).ToList();
        var number = parts.Select(p => p.Number).DefaultIfEmpty(0).Max() + 1;
        var name = $"{found.AppendFile}.{number.ToString(CultureInfo.InvariantCulture)}.base.rdb";
        await Copy(rdb, $"{folder}/{name}");
        await ServiceFile.Write(service, found.AppendManifest, $"file {name} seq {number} type b\n", _owner, context);
        foreach (var part in parts)
            await service.Remove(context, $"{folder}/{part.File}");
    }

    async Task Copy(string rdb, string to)
    {
        await using var stream = new FileStream(rdb, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.Asynchronous | FileOptions.SequentialScan);
        await service.CopyIn(context, stream, to, _owner);
    }
}
