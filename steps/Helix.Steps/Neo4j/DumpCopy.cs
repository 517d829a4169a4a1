using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Neo4j;

/// <summary>Gets an archive out of a stopped server's image to this machine.</summary>
sealed class DumpCopy(Neo4jTarget target, AdminTool admin, string database, StepContext context)
{
    readonly StoreFolder _store = new(target, database, context);

    /// <param name="outage">Keeps the server down while the archive is taken.</param>
    public Task<DumpFile> To(string path, ArchiveWay way, Func<Func<Task>, Task> outage) => LocalFile.Write(path,
        file => way == ArchiveWay.Stream || (way == ArchiveWay.Auto && admin.Streams) ? outage(() => admin.DumpTo(file, database)) : ThroughFolder(file, outage),
        async partial => await DumpFile.Read(partial, context.Cancelled) with { Path = path });

    /// <summary>The server is up again before the archive is fetched: only the dump itself keeps it down.</summary>
    async Task ThroughFolder(FileStream file, Func<Func<Task>, Task> outage)
    {
        var archive = $"{_store.Staging}/{AdminTool.ArchiveName(database)}";
        try
        {
            await outage(async () =>
            {
                await _store.MakeStaging();
                await admin.DumpTo(archive, database);
            });
            await target.Service.CopyOut(context, archive, file);
        }
        finally
        {
            await _store.Tidy();
        }
    }
}
