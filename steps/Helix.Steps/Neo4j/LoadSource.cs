using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Neo4j;

/// <summary>What replaces a database, and how it gets in.</summary>
abstract class LoadSource(Neo4jTarget target, StepContext context)
{
    public abstract string Path { get; }
    public abstract long Size { get; }
    public abstract string Sha256 { get; }

    /// <summary>What it takes once it is loaded.</summary>
    public abstract long Bytes { get; }

    /// <summary>It lies in the data folder, too, while it is loaded.</summary>
    public abstract bool IsStaged(AdminTool admin);

    /// <exception cref="StepFailedException">This server cannot read it.</exception>
    public abstract void Check(ServerFacts? server, Neo4jVersion version);

    public abstract Task Put(AdminTool admin, StoreFolder store, string database);

    protected Neo4jTarget Target { get; } = target;
    protected StepContext Context { get; } = context;

    /// <summary>A copy under the wanted name in a folder of its own, for as long as it is used; the original is not touched (NEO-05).</summary>
    protected async Task Staged(StoreFolder store, string name, Func<string, Task> use)
    {
        var staged = $"{store.Staging}/{name}";
        await store.MakeStaging();
        await using (var from = Open())
            await Target.Service.CopyIn(Context, from, staged, new(null, null));
        await use(staged);
        await Target.Service.Remove(Context, store.Staging);
    }

    protected FileStream Open() => new(Path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.Asynchronous | FileOptions.SequentialScan);
}

/// <summary>An archive that neo4j.dump made.</summary>
sealed class DumpSource(DumpFile archive, ArchiveWay way, Neo4jTarget target, StepContext context) : LoadSource(target, context)
{
    public override string Path => archive.Path;
    public override long Size => archive.Size;
    public override string Sha256 => archive.Sha256;
    public override long Bytes => archive.Bytes;

    public override bool IsStaged(AdminTool admin) => !(way == ArchiveWay.Stream || (way == ArchiveWay.Auto && admin.Streams));

    public override void Check(ServerFacts? server, Neo4jVersion version) => LoadRules.CheckFormat(archive, Target, server, version);

    public override async Task Put(AdminTool admin, StoreFolder store, string database)
    {
        if (IsStaged(admin))
        {
            await Staged(store, AdminTool.ArchiveName(database), staged => admin.LoadFrom(staged, database));
            return;
        }
        await using var from = Open();
        await admin.LoadFrom(from, database);
    }
}
