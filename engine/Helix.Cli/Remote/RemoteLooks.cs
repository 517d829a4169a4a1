using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Runbooks.Runs;

namespace Helix.Cli.Remote;

/// <summary>Looks at what a server knows.</summary>
static class RemoteLooks
{
    public static Command Status(Session session) => new Verb("status", "What runs and what waits, and for whom.", "helix status").Does(async _ =>
    {
        using var server = RemoteServer.Of(session);
        var runs = (await server.Get("/api/v1/runs?open=true")).AsArray();
        session.Terminal.Give(runs, () => runs.Count == 0 ? "Nothing runs and nothing waits." : Table(runs, "run", "runbook", "environment", "status", "waitsFor"));
        return 0;
    });

    public static Command Runs(Session session)
    {
        var limit = new Option<int>("--limit", "-n") { Description = "How many.", HelpName = "N", DefaultValueFactory = _ => 20 };
        var open = Given.Flag("--open", "Only runs that have not ended.");
        return new Verb("runs", "Lists runs, newest first.", "helix runs").With(limit, open).Does(async parsed =>
        {
            using var server = RemoteServer.Of(session);
            var runs = (await server.Get($"/api/v1/runs?limit={parsed.GetValue(limit)}&open={(parsed.GetValue(open) ? "true" : "false")}")).AsArray();
            session.Terminal.Give(runs, () => runs.Count == 0 ? "No run yet." : Table(runs, "run", "runbook", "environment", "mode", "status", "startedAt", "operator"));
            return 0;
        });
    }

    public static Command Show(Session session)
    {
        var run = RemoteTable.RunArgument();
        var follow = new Option<bool>("--follow", "-f") { Description = "Stays until the run ends." };
        return new Verb("show", "Shows a run.", "helix show 260301-0200 -f").Takes(run).With(follow).Does(async parsed =>
        {
            using var server = RemoteServer.Of(session);
            if (parsed.GetValue(follow))
                return await RemoteRun.Follow(session, server, parsed.GetValue(run)!, stay: true);
            var report = await server.Get("/api/v1/runs/" + parsed.GetValue(run));
            session.Terminal.Give(report, () => $"{report["run"]}  {report["title"]} on {report["environment"]}: {report["verdict"]}\n" + Table(report["steps"]!.AsArray(), "path", "uses", "status", "message"));
            return 0;
        });
    }

    public static Command Logs(Session session)
    {
        var run = RemoteTable.RunArgument();
        var step = new Argument<string?>("STEP") { Description = "The path of a step. Without one: all.", Arity = ArgumentArity.ZeroOrOne };
        return new Verb("logs", "Shows what steps wrote.", "helix logs 260301-0200").Takes(run, step).Does(async parsed =>
        {
            using var server = RemoteServer.Of(session);
            for (var (after, more) = (0L, true); more;)
            {
                var lines = (await server.Get($"/api/v1/runs/{parsed.GetValue(run)}/logs?after={after}{(parsed.GetValue(step) is { } s ? "&step=" + Uri.EscapeDataString(s) : "")}")).AsArray();
                foreach (var line in lines)
                    session.Terminal.Write(session.Terminal.Json ? line!.ToJsonString() : $"{line!["at"]} {line["path"]} {(line["stream"]!.GetValue<string>() == "stderr" ? "!" : "|")} {line["text"]}");
                (after, more) = (lines.Count > 0 ? lines[^1]!["sequence"]!.GetValue<long>() : after, lines.Count > 0);
            }
            return 0;
        });
    }

    public static Command Report(Session session)
    {
        var run = RemoteTable.RunArgument();
        var format = new Option<string>("--format") { Description = "Markdown, one self-contained HTML file, or JSON.", HelpName = "md|html|json", DefaultValueFactory = _ => "md" };
        format.AcceptOnlyFromAmong("md", "html", "json");
        return new Verb("report", "Writes the report of a run.", "helix report 260301-0200 --format html > report.html").Takes(run).With(format).Does(async parsed =>
        {
            using var server = RemoteServer.Of(session);
            session.Terminal.Write(await server.Text($"/api/v1/runs/{parsed.GetValue(run)}/report?format={(session.Terminal.Json ? "json" : parsed.GetValue(format))}"));
            return 0;
        });
    }

    public static Command Backups(Session session)
    {
        var environment = new Option<string>("--environment", "-e") { Description = "The name of the environment on the server.", HelpName = "NAME", Required = true };
        var prefix = new Option<string>("--prefix") { Description = "The series: the start of the keys, ending with '/'.", HelpName = "PREFIX", Required = true };
        var target = Given.Text("--target", "NAME", "The target that holds them, when there are several.");
        var chosen = Given.Text("--backup", "SELECTOR", "Only the one that this means: a key, latest, latest-proven, before:2026-03-01T02:00:00Z, age:6h.");
        return new Verb("backups", "Shows backups.", "helix backups list -e production --prefix redis/").Has(
            new Verb("list", "The backups of a series, newest first.", "helix backups list -e production --prefix redis/").With(environment, prefix, target, chosen).Does(async parsed =>
            {
                using var server = RemoteServer.Of(session);
                var path = $"/api/v1/environments/{Uri.EscapeDataString(parsed.GetValue(environment)!)}/backups?prefix={Uri.EscapeDataString(parsed.GetValue(prefix)!)}{(parsed.GetValue(target) is { } t ? "&target=" + Uri.EscapeDataString(t) : "")}{(parsed.GetValue(chosen) is { } b ? "&backup=" + Uri.EscapeDataString(b) : "")}";
                var series = await server.Get(path);
                var backups = series["backups"]!.AsArray();
                session.Terminal.Give(series, () => backups.Count == 0 ? "No backup there." : Table(backups, "recoveryPoint", "ageSeconds", "state", "size", "proven", "key"));
                return 0;
            }));
    }

    public static Command Locks(Session session) => new Verb("locks", "Shows what is held by whom.", "helix locks").Does(async _ =>
    {
        using var server = RemoteServer.Of(session);
        var locks = (await server.Get("/api/v1/locks")).AsArray();
        session.Terminal.Give(locks, () => locks.Count == 0 ? "Nothing is held." : Table(locks, "target", "run", "runbook", "since"));
        return 0;
    });

    public static Command VerifyRecord(Session session)
    {
        var run = RemoteTable.RunArgument();
        var head = Given.Text("--head", "HASH", "A head that was kept elsewhere.");
        return new Verb("verify-record", "Checks the chain of hashes of a run's record.", "helix verify-record 260301-0200 --head 5f1c…").Takes(run).With(head).Does(async parsed =>
        {
            using var server = RemoteServer.Of(session);
            var verified = await server.Get($"/api/v1/runs/{parsed.GetValue(run)}/record{(parsed.GetValue(head) is { } h ? "?head=" + Uri.EscapeDataString(h) : "")}");
            var sound = verified["sound"]!.GetValue<bool>();
            session.Terminal.Give(verified, () => sound ? $"The record of run {verified["run"]} is sound: {verified["events"]} events, head {verified["head"]}." : string.Join("\n", verified["faults"]!.AsArray()));
            return sound ? 0 : ExitCodes.Failed;
        });
    }

    static string Table(JsonArray rows, params string[] fields) =>
        TextTable.Of([.. fields.Select(f => f.ToUpperInvariant())], rows.Select(r => fields.Select(f => r![f]?.ToString() ?? "-").ToArray()));
}
