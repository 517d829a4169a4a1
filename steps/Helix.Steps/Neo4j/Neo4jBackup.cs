using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Neo4j;

/// <summary>What of users and roles goes with a backup.</summary>
public enum BackupMetadata { None, All, Users, Roles }

public sealed record Neo4jBackupOptions
{
    [Description("The server to back up while it runs. Enterprise edition only.")]
    [TargetName("neo4j")]
    [Example("neo4j")]
    public required string Target { get; init; }

    [Description("Where the backup goes on this machine: an artifact from 5.0, a tar of the folder before.")]
    [Example("\"{{ run.work }}/neo4j.backup\"")]
    public required string To { get; init; }

    [Description("The database. Default: that of the target.")]
    [Fixed]
    public string? Database { get; init; }

    [Description("The backup address of the server, as its own machine sees it.")]
    [RegularExpression(@"^[\w.-]+:\d+$", ErrorMessage = "{0} must be host:port.")]
    public string From { get; init; } = "localhost:6362";

    [Description("Users and roles that go with it; `system` has none.")]
    public BackupMetadata Metadata { get; init; } = BackupMetadata.All;

    [Description("Memory for the admin tool, which does not look at the server's settings.")]
    [Example("2GiB")]
    public ByteSize? Memory { get; init; }
}

public sealed record Neo4jBackupOutputs
{
    [Description("The backup.")]
    public required string File { get; init; }
    public required long Size { get; init; }
    public required string Sha256 { get; init; }

    [Description("The moment that the data stands for.")]
    public required DateTimeOffset RecoveryPoint { get; init; }

    [Description("The end of the backup: what happened until then may be in it.")]
    public required DateTimeOffset DataUntil { get; init; }

    [Description("What is in it, as far as it did not move between before and after.")]
    public required IReadOnlyDictionary<string, long> Counts { get; init; }

    [Description("Counts that were different before and after, so that it is not known what the backup holds of them.")]
    public required IReadOnlyList<string> Moved { get; init; }

    [Description("The database that was backed up.")]
    public required string Database { get; init; }
    public required string ServerVersion { get; init; }

    [Description("Where the data came from.")]
    public required string Place { get; init; }
}

[Step("neo4j.backup", "Makes a full backup of a database of an Enterprise edition while it runs, and fetches it here.")]
public sealed class Neo4jBackup : Step<Neo4jBackupOptions, Neo4jBackupOutputs>, IJudgesUse
{
    public IEnumerable<UseFault> Judge(StepUse use) => OnlineRules.Judge("neo4j.backup", use);

    public override IEnumerable<TargetEffect> Effects(Neo4jBackupOptions options) => [TargetEffect.Reads(options.Target)];

    public override async Task<StepPlan> Plan(Neo4jBackupOptions options, PlanContext context)
    {
        var target = context.Target<Neo4jTarget>(options.Target);
        _ = target.ServiceFor("neo4j.backup");
        OnlineRules.CheckEdition("neo4j.backup", target, target.Edition);
        try
        {
            using var server = await Neo4jConnection.Open(target, context);
            var edition = (await server.About()).Edition;
            return new()
            {
                Lines = [$"backs up database '{await server.DatabaseName(options.Database)}' of {server.Name} to {options.To}"],
                Warnings = edition == Neo4jEdition.Community ? [$"{server.Name} is a Community edition, which has no online backup: use neo4j.dump."] : [],
            };
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return new() { Lines = [$"backs up neo4j '{target.Name}' to {options.To}"], Warnings = [e.Message] };
        }
    }

    public override async Task<Neo4jBackupOutputs> Run(Neo4jBackupOptions options, StepContext context)
    {
        var target = context.Target<Neo4jTarget>(options.Target);
        _ = target.ServiceFor("neo4j.backup");
        using var server = await Neo4jConnection.Open(target, context);
        var about = await server.About();
        OnlineRules.CheckEdition("neo4j.backup", target, about.Edition);
        var admin = await AdminTool.Of(target, about, options.Memory, context);
        var database = await server.DatabaseName(options.Database);
        var before = await GraphCounts.OfWhole(server, options.Database);
        var at = context.Time.GetUtcNow();
        var to = LocalFile.For(options.To, context);
        var (size, sha256) = await new OnlineCopy(target, admin, database, options, context).To(to);
        var until = context.Time.GetUtcNow();
        var (same, moved) = before.With(await GraphCounts.OfWhole(server, options.Database));
        context.Log($"{server.Name}: {before} in {ByteSize.Words(size)}");
        return new()
        {
            File = to,
            Size = size,
            Sha256 = sha256,
            RecoveryPoint = at,
            DataUntil = until,
            Counts = same.All,
            Moved = moved,
            Database = database,
            ServerVersion = about.Version.Text,
            Place = await target.ReadPlace(context) ?? target.Address,
        };
    }

    public override Task<ProbeResult<Neo4jBackupOutputs>> Probe(Neo4jBackupOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<Neo4jBackupOutputs>.NotDone("a backup does no harm when it is made again"));
}

/// <summary>Lets the tool write a backup beside the running server, and fetches it.</summary>
sealed class OnlineCopy(Neo4jTarget target, AdminTool admin, string database, Neo4jBackupOptions options, StepContext context)
{
    readonly StoreFolder _store = new(target, database, context) { Inside = true };

    public async Task<(long Size, string Sha256)> To(string path)
    {
        try
        {
            await _store.MakeStaging();
            await admin.Backup(_store.Staging, database, options.From, options.Metadata);
            return await LocalFile.Write(path, async file =>
            {
                if (admin.Version.IsAtLeast(5))
                    await target.Service.CopyOut(context, await _store.Only(".backup"), file);
                else
                    await _store.Pack(database, file);
            }, Whole);
        }
        finally
        {
            await _store.Tidy();
        }
    }

    /// <summary>What the tool calls done and is empty is no backup; a tar must come to its end.</summary>
    async Task<(long, string)> Whole(string path)
    {
        await using var file = File.OpenRead(path);
        if (file.Length == 0)
            throw StepFailedException.InvalidData($"The backup of '{database}' is empty, although the tool said that it went well.");
        if (!admin.Version.IsAtLeast(5) && !await new TarEnd(file).IsComplete(context.Cancelled))
            throw StepFailedException.InvalidData($"The backup of '{database}' broke off on its way here.");
        file.Position = 0;
        return (file.Length, Convert.ToHexStringLower(await System.Security.Cryptography.SHA256.HashDataAsync(file, context.Cancelled)));
    }
}
