using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Steps;
using Helix.Steps.Backups;

namespace Helix.Cli.Commands;

static partial class BackupsCommand
{
    static readonly Option<string> Environment = Given.Environment();
    static readonly Option<string?> Target = Given.Text("--target", "NAME", "The target that holds the backups; not needed when there is only one.");

    public static Command Make(Session session) => new Verb("backups", "Shows, checks, proves, rejects and adopts backups.",
            "helix backups list -e compose-local --prefix neo4j/", "helix backups reject neo4j/2026-02-28T23.dump -e compose-local --reason 'restored graph was empty'")
        .Has(List(session), Show(session), Verify(session), Prune(session), Prove(session), Reject(session), Adopt(session));

    static Verb Show(Session session)
    {
        var backup = Backup();
        var prefix = Prefix();
        return new Verb("show", "One backup with its manifest.", "helix backups show neo4j/2026-02-28T23.dump -e compose-local", "helix backups show latest-proven --prefix neo4j/ -e compose-local")
            .Takes(backup).With(Environment, Target, prefix)
            .Does(parsed => OnShelf(session, parsed, SeriesOf(parsed.GetValue(backup)!, parsed.GetValue(prefix)), async series =>
            {
                var now = session.Time.GetUtcNow();
                var entry = await series.Find(parsed.GetValue(backup)!, now, session.Terminal.Say);
                session.Terminal.Give(ToJson(entry, now), () => ToText(entry));
                return 0;
            }));
    }

    static Verb Verify(Session session)
    {
        var backup = Backup();
        var prefix = Prefix();
        return new Verb("verify", "Reads every byte of a backup and compares it with its manifest.", "helix backups verify latest --prefix neo4j/ -e compose-local")
            .Takes(backup).With(Environment, Target, prefix)
            .Does(parsed => OnShelf(session, parsed, SeriesOf(parsed.GetValue(backup)!, parsed.GetValue(prefix)), async series =>
            {
                var manifest = await series.Verify(parsed.GetValue(backup)!, session.Time.GetUtcNow(), new Transfer { Time = session.Time, Log = session.Terminal.Say });
                session.Terminal.Give(new JsonObject { ["key"] = manifest.Key, ["size"] = manifest.Stored.Size, ["sha256"] = manifest.Stored.Sha256, ["verified"] = true },
                    () => $"{manifest.Key} is whole: {ByteSize.Words(manifest.Stored.Size)}, SHA-256 {manifest.Stored.Sha256}.");
                return 0;
            }));
    }

    /// <summary>Shows only: what removes backups is a step of a runbook, so that it is gated and recorded.</summary>
    static Verb Prune(Session session)
    {
        var prefix = new Option<string>("--prefix") { Description = "The series: the start of the keys, ending with '/'.", HelpName = "PREFIX", Required = true };
        var rules = PruneRule.All.ToDictionary(r => r.Name, r => Given.Text("--" + JsonNamingPolicy.KebabCaseLower.ConvertName(r.Name), "VALUE", r.Description));
        return new Verb("prune", "What a retention rule would keep and remove, and why. Removes nothing: the step backup.prune of a runbook does.", "helix backups prune -e compose-local --prefix neo4j/ --keep-hourly 24 --keep-daily 30")
            .With([Environment, Target, prefix, .. rules.Values])
            .Does(parsed => OnStore(session, parsed, async (store, shelf, _) =>
            {
                var rule = PruneRule.Of(shelf.Name, parsed.GetValue(prefix)!, name => parsed.GetValue(rules[name]))
                    ?? throw new RunbookException("No rule is given.", "Say what to keep, as --keep-daily 14.");
                var plan = await PrunePlan.Make(store, rule, session.Time.GetUtcNow(), CancellationToken.None);
                session.Terminal.Give(new JsonObject
                {
                    ["keep"] = new JsonArray([.. plan.Keep.Select(e => JsonValue.Create(e.Key))]),
                    ["remove"] = new JsonArray([.. plan.Remove.Select(e => JsonValue.Create(e.Key))]),
                    ["held"] = new JsonObject(plan.Held.Select(h => KeyValuePair.Create(h.Key, (JsonNode?)JsonValue.Create(h.Value)))),
                    ["refusal"] = plan.Refusal,
                }, () => string.Join("\n", plan.Table.Append(plan.Refusal is { } why ? $"Nothing may be removed: {why}" : $"{plan.Keep.Count} kept, {plan.Remove.Count} would go.")));
                return 0;
            }));
    }

    static Verb Reject(Session session)
    {
        var key = Key();
        var reason = Given.Reason(required: true, "Why no selector may take it any more; it stays in the manifest.");
        return new Verb("reject", "Marks a backup as no good, wherever the environment keeps it: no selector takes it any more.", "helix backups reject neo4j/2026-02-28T23.dump -e compose-local --reason 'restored graph was empty'")
            .Takes(key).With(Environment, Target, reason)
            .Does(parsed => OnShelf(session, parsed, SeriesOf(parsed.GetValue(key)!), async (series, shelf, environment) =>
            {
                var manifest = await series.Reject(parsed.GetValue(key)!, Needed.Reason(parsed.GetValue(reason), "reject a backup"), session.Operator.Account, session.Time.GetUtcNow());
                session.Terminal.Say($"{manifest.Key} is rejected.");
                foreach (var line in await BackupVerdicts.RejectElsewhere(manifest, shelf, environment.Targets.All.Values.OfType<BackupTarget>(), session.Engine.Reading(environment, session.Operator.Account)))
                    session.Terminal.Say(line);
                return 0;
            }));
    }

    static Verb Adopt(Session session)
    {
        var key = Key();
        var point = new Option<string>("--recovery-point") { Description = "The time that the data stands for.", HelpName = "TIME", Required = true };
        var kind = new Option<string>("--kind") { Description = "What it is, in the words of the system it came from, as redis.rdb.", HelpName = "KIND", Required = true };
        return new Verb("adopt", "Takes in a backup that was made before this tool: reads it and writes its manifest.", "helix backups adopt old/dump.rdb -e compose-local --recovery-point 2026-02-01T00:00:00Z --kind redis.rdb")
            .Takes(key).With(Environment, Target, point, kind)
            .Does(parsed => OnShelf(session, parsed, SeriesOf(parsed.GetValue(key)!), async series =>
            {
                var manifest = await series.Adopt(parsed.GetValue(key)!, Given.Moment(parsed.GetValue(point), "--recovery-point")!.Value, parsed.GetValue(kind)!, session.Operator.Account, session.Time.GetUtcNow());
                session.Terminal.Say($"{manifest.Key} is adopted: {ByteSize.Words(manifest.Stored.Size)}, SHA-256 {manifest.Stored.Sha256}.");
                return 0;
            }));
    }

    static Argument<string> Key() => new("KEY") { Description = "The whole key, as `helix backups list` shows it." };
    static Argument<string> Backup() => new("BACKUP") { Description = "A key, or with --prefix a selector: latest, latest-proven, before:2026-03-01T02:00:00Z, age:6h." };
    static Option<string?> Prefix() => Given.Text("--prefix", "PREFIX", "The series, for a selector.");
    static string SeriesOf(string backup, string? prefix = null) => BackupSeries.PrefixFor(prefix, backup);

    static Task<int> OnShelf(Session session, ParseResult parsed, string prefix, Func<BackupSeries, Task<int>> action) =>
        OnShelf(session, parsed, prefix, (series, _, _) => action(series));

    static Task<int> OnShelf(Session session, ParseResult parsed, string prefix, Func<BackupSeries, BackupTarget, Helix.Runbooks.Model.Environment, Task<int>> action) =>
        OnStore(session, parsed, (store, shelf, environment) => action(new(store, prefix), shelf, environment));

    static async Task<int> OnStore(Session session, ParseResult parsed, Func<BackupStore, BackupTarget, Helix.Runbooks.Model.Environment, Task<int>> action)
    {
        var environment = session.Files.Environment(parsed.GetValue(Environment)!);
        var shelves = environment.Targets.All.Values.OfType<BackupTarget>().ToList();
        var shelf = parsed.GetValue(Target) is { } named ? environment.Targets.Get<BackupTarget>(named)
            : shelves.Count == 1 ? shelves[0]
            : throw new RunbookException(shelves.Count == 0 ? $"No target of {environment.Name} holds backups." : $"Several targets of {environment.Name} hold backups.",
                shelves.Count == 0 ? "A directory or an s3 target does." : $"Name one with --target: {string.Join(", ", shelves.Select(s => s.Name))}.");
        await using var store = await shelf.Open(session.Engine.Reading(environment, session.Operator.Account));
        return await action(store, shelf, environment);
    }

    static string[] Row(BackupEntry entry, SeriesView view) =>
    [
        entry.Manifest is { } m ? Words.Moment(m.RecoveryPoint) : "-", view.AgeOf(entry) is { } age ? Words.Clock(age) : "-", entry.StateInWords,
        entry.StoredSize is { } size ? ByteSize.Words(size) : "-", entry.Manifest?.Proven == true ? "yes" : "no", entry.Key,
    ];

    static string ToText(BackupEntry entry)
    {
        var manifest = entry.Manifest is { } m ? "\n" + JsonNode.Parse(m.ToBytes())!.ToJsonString(new(StepJson.Options) { WriteIndented = true }) : "";
        return $"{entry.Key}: {entry.StateInWords}{(entry.Problem is { } p ? $", {p}" : "")}{manifest}";
    }

    static JsonObject ToJson(BackupEntry entry, DateTimeOffset now) => new()
    {
        ["key"] = entry.Key,
        ["state"] = entry.StateInWords,
        ["size"] = entry.StoredSize,
        ["ageSeconds"] = (now - entry.Manifest?.RecoveryPoint)?.TotalSeconds,
        ["problem"] = entry.Problem,
        ["proven"] = entry.Manifest?.Proven,
        ["manifest"] = entry.Manifest is { } m ? JsonNode.Parse(m.ToBytes()) : null,
    };
}
