using System.ComponentModel;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Vault;

public sealed record VaultSnapshotOptions
{
    [Description("The Vault to copy. It must use integrated (raft) storage.")]
    [TargetName("vault")]
    public required string Target { get; init; }

    [Description("The file to write.")]
    [Example("\"{{ run.work }}/vault.snap\"")]
    public required string To { get; init; }
}

public sealed record VaultSnapshotOutputs
{
    public required string File { get; init; }
    public required long Size { get; init; }
    public required string Sha256 { get; init; }

    [Description("The moment that the data stands for.")]
    public required DateTimeOffset RecoveryPoint { get; init; }

    [Description("Index and term of the storage, and the shares that open it (threshold of shares), for the manifest.")]
    public required IReadOnlyDictionary<string, long> Counts { get; init; }

    [Description("The cluster whose unseal keys and tokens belong to it.")]
    public required string ClusterId { get; init; }
    public required string ServerVersion { get; init; }
}

[Step("vault.snapshot", "Streams a snapshot of Vault's storage into a file and checks it. Vault has encrypted it.")]
sealed class VaultSnapshot : Step<VaultSnapshotOptions, VaultSnapshotOutputs>
{
    public override IEnumerable<TargetEffect> Effects(VaultSnapshotOptions options) => [TargetEffect.Reads(options.Target), TargetEffect.Changes(null)];

    public override async Task<VaultSnapshotOutputs> Run(VaultSnapshotOptions options, StepContext context)
    {
        await using var session = new VaultSession(context.Target<VaultTarget>(options.Target), context);
        var health = await VaultHealth.Read(session.Http);
        if (!health.IsOpen)
            throw StepFailedException.Conflict($"{session.Name} is {VaultHealth.Words(health.State)}: no snapshot can be had.", "Unseal it first: vault.unseal.");
        var seal = await VaultSeal.Read(session.Http);
        var (path, at) = (LocalFile.For(options.To, context), context.Time.GetUtcNow());
        var snapshot = await Fetch(session, path, context);
        context.Log($"{session.Name}: {ByteSize.Words(snapshot.Size)}, index {snapshot.Index}, checked");
        return new()
        {
            File = path,
            Size = snapshot.Size,
            Sha256 = snapshot.Sha256,
            RecoveryPoint = at,
            Counts = new Dictionary<string, long> { ["index"] = snapshot.Index, ["term"] = snapshot.Term, ["threshold"] = seal.Threshold, ["shares"] = seal.Shares },
            ClusterId = health.ClusterId ?? "",
            ServerVersion = health.Version,
        };
    }

    public override Task<ProbeResult<VaultSnapshotOutputs>> Probe(VaultSnapshotOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<VaultSnapshotOutputs>.NotDone("a snapshot does no harm when it is taken again"));

    static Task<SnapshotFile> Fetch(VaultSession session, string path, StepContext context) => Disk.Guard(path, async () =>
    {
        const string From = "sys/storage/raft/snapshot";
        Durable.CreateFolder(Path.GetDirectoryName(path)!);
        Unfinished.RemoveAbandoned(path);
        var partial = Unfinished.NameFor(path);
        try
        {
            await using (var file = new FileStream(partial, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.Asynchronous, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                var answer = await session.Allowed(From, token => session.Http.Fetch(From, file, token));
                if (answer.Status == 404)
                    throw StepFailedException.Missing($"{session.Name} has no snapshots: it does not use integrated storage.", "Back up its storage with the tools of that storage.");
                file.Flush(flushToDisk: true);
            }
            var snapshot = await SnapshotFile.Read(partial, context.Cancelled);
            Durable.Rename(partial, path);
            return snapshot;
        }
        finally
        {
            File.Delete(partial);
        }
    });
}
