using System.Security.Cryptography;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Neo4j;

/// <summary>A backup that neo4j.backup made: an artifact from 5.0, the tar of a folder before.</summary>
sealed class BackupSource(string path, long size, string sha256, bool isFolder, Neo4jTarget target, StepContext context) : LoadSource(target, context)
{
    const int TarMark = 257;

    public override string Path => path;
    public override long Size => size;
    public override string Sha256 => sha256;

    /// <summary>An artifact is compressed, and does not say how much.</summary>
    public override long Bytes => isFolder ? size : size * 4;
    public override bool IsStaged(AdminTool admin) => true;

    public static Task<BackupSource> Of(string path, Neo4jTarget target, StepContext context) => Disk.Guard(path, async () =>
    {
        if (!File.Exists(path))
            throw StepFailedException.Missing($"There is no backup {path}.");
        await using var file = File.OpenRead(path);
        var start = new byte[TarMark + 5];
        var isFolder = await file.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, context.Cancelled) == start.Length && start.AsSpan(TarMark).SequenceEqual("ustar"u8);
        file.Position = 0;
        if (file.Length == 0 || (isFolder && !await new TarEnd(file).IsComplete(context.Cancelled)))
            throw StepFailedException.InvalidData($"The backup {path} is cut off.", "Take another one; nothing was touched.");
        file.Position = 0;
        return new BackupSource(path, file.Length, Convert.ToHexStringLower(await SHA256.HashDataAsync(file, context.Cancelled)), isFolder, target, context);
    });

    public override void Check(ServerFacts? server, Neo4jVersion version)
    {
        OnlineRules.CheckEdition("neo4j.restore", Target, server?.Edition ?? Target.Edition);
        if (version.IsAtLeast(5) == isFolder)
            throw StepFailedException.Conflict(isFolder
                ? $"{path} was made by a version before 5.0, and {Target.Name} is {version}."
                : $"{path} is no folder of a version before 5.0, and {Target.Name} is {version}.", "Restore it into a server of the version that made it, and migrate that.");
    }

    public override Task Put(AdminTool admin, StoreFolder store, string database) => isFolder
        ? Unpacked(admin, store, database)
        : Staged(store, $"{database}.backup", staged => admin.Restore(staged, database));

    async Task Unpacked(AdminTool admin, StoreFolder store, string database)
    {
        await store.MakeStaging();
        await using (var from = Open())
            await store.Unpack(from);
        await admin.Restore($"{store.Staging}/{database}", database);
        await Target.Service.Remove(Context, store.Staging);
    }
}
