using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Runbooks.Runs;

namespace Helix.Cli.Remote;

/// <summary>Starts a run on a server and follows it there.</summary>
static class RemoteRun
{
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    /// <summary>A run that was just started or resumed, or that one node hands on to another, is suspended until a driver has taken it.</summary>
    static readonly TimeSpan UntilTaken = TimeSpan.FromSeconds(10);

    public static Command Plan(Session session)
    {
        var (runbook, environment, inputs, mode) = Arguments();
        return new Verb("plan", "Shows what a run on the server would do.", "helix plan redis-restore -e production --server https://helix.example.com")
            .Takes(runbook).With(environment, inputs, mode)
            .Does(async parsed =>
            {
                using var server = RemoteServer.Of(session);
                var plan = await server.Post("/api/v1/plan", Wish(parsed.GetValue(runbook)!, parsed.GetValue(environment)!, parsed.GetValue(inputs), parsed.GetValue(mode)!));
                session.Terminal.Give(plan, () => string.Join("\n", plan["steps"]!.AsArray().Select(s => $"{s!["path"]}  {s["uses"]}  {s["effect"]}")));
                return 0;
            });
    }

    public static Command Run(Session session)
    {
        var (runbook, environment, inputs, mode) = Arguments();
        var incident = Given.Text("--incident", "ID", "The id of the incident.");
        var occurred = Given.Text("--occurred-at", "TIME", "When it happened, as 2026-03-01T02:00:00Z.");
        var confirm = Given.Text("--confirm-environment", "NAME", "The name of the protected environment.");
        var unattended = Given.Flag("--unattended", "Nobody is there to answer: a failed step ends the run.");
        var detach = Given.Flag("--detach", "Starts it and does not wait.");
        return new Verb("run", "Runs a runbook on the server.", "helix run redis-restore -e production --server https://helix.example.com --input backup=latest-proven")
            .Takes(runbook).With(environment, inputs, mode, incident, occurred, confirm, unattended, detach)
            .Does(async parsed =>
            {
                using var server = RemoteServer.Of(session);
                var wish = Wish(parsed.GetValue(runbook)!, parsed.GetValue(environment)!, parsed.GetValue(inputs), parsed.GetValue(mode)!);
                wish["incident"] = parsed.GetValue(incident);
                wish["occurredAt"] = Given.Moment(parsed.GetValue(occurred), "--occurred-at");
                wish["confirmEnvironment"] = parsed.GetValue(confirm);
                wish["attended"] = !parsed.GetValue(unattended);
                var started = await server.Post("/api/v1/runs", wish, Guid.NewGuid().ToString("N"));
                session.Terminal.Say($"Run {started["run"]}: {started["page"]}");
                if (!parsed.GetValue(detach))
                    return await Follow(session, server, started["run"]!.GetValue<string>());
                session.Terminal.Give(started, () => "");
                return 0;
            });
    }

    /// <summary>One line per change, until it ends or waits for people.</summary>
    public static async Task<int> Follow(Session session, RemoteServer server, string run, bool stay = false)
    {
        var shown = new Dictionary<string, string>();
        for (var still = session.Time.GetTimestamp(); ;)
        {
            var report = await server.Look(run);
            if (report["status"]!.GetValue<string>() != "suspended")
                still = session.Time.GetTimestamp();
            foreach (var step in report["steps"]!.AsArray().Where(s => s!["status"]!.GetValue<string>() is not ("pending" or "not-reached")))
                if (step!["path"]!.GetValue<string>() is var path && step["status"]!.GetValue<string>() is var status && shown.GetValueOrDefault(path) != status)
                {
                    shown[path] = status;
                    session.Terminal.Say($"{path}  {step["uses"]}  {status}{(step["message"] is { } message ? ": " + message : "")}");
                }
            if (CodeOf(report, stay, session.Time.GetElapsedTime(still) >= UntilTaken) is { } code)
            {
                session.Terminal.Give(report, () => Words(session, report));
                return code;
            }
            await Task.Delay(Look, session.Time);
        }
    }

    static int? CodeOf(JsonNode report, bool stay, bool left) => report["status"]!.GetValue<string>() switch
    {
        "succeeded" => report["objectives"]?["rtoMet"]?.GetValue<bool>() == false || report["objectives"]?["rpoMet"]?.GetValue<bool>() == false ? ExitCodes.ObjectiveMissed : ExitCodes.Recovered,
        "failed" => ExitCodes.Failed,
        "cancelled" or "rejected" => ExitCodes.Cancelled,
        "waiting" when !stay && report["questions"]!.AsArray().Count > 0 => ExitCodes.Waiting,
        "suspended" when left && !stay => ExitCodes.Interrupted,
        _ => null,
    };

    static string Words(Session session, JsonNode report) => string.Join("\n",
        report["questions"]!.AsArray().Select(q => $"waits for {q!["waitsFor"]}: {q["message"]}\n  helix --server {session.Server} {q["command"]!.GetValue<string>()["helix ".Length..]}")
            .Prepend(report["verdict"]!.GetValue<string>()));

    static (Argument<string>, Option<string>, Option<string[]>, Option<string>) Arguments() =>
        (new Argument<string>("RUNBOOK") { Description = "The name of the runbook on the server." },
         new Option<string>("--environment", "-e") { Description = "The name of the environment on the server.", HelpName = "NAME", Required = true },
         Given.Inputs(), Commands.PlanCommand.ModeOption());

    static JsonObject Wish(string runbook, string environment, string[]? inputs, string mode) => new()
    {
        ["runbook"] = runbook,
        ["environment"] = environment,
        ["mode"] = mode,
        ["inputs"] = Given.Pairs(inputs),
    };
}
