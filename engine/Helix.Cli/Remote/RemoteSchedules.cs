using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Helix.Cli.Remote;

/// <summary>The schedules of a server.</summary>
static class RemoteSchedules
{
    public static Command Make(Session session) => new Verb("schedule", "What runs by itself on the server.", "helix schedule list --server https://helix.example.com").Has(
        new Verb("list", "Shows each schedule with its next time and what became of the last one.", "helix schedule list").Does(_ => List(session)),
        Deed(session, "pause", "Keeps a schedule from starting anything, until it is resumed.", "is paused"),
        Deed(session, "resume", "Lets a schedule start its runs again.", "starts its runs again"),
        Deed(session, "fire", "Starts a run of a schedule now, beside its plan.", "is started"),
        // About a file of this machine, whatever server there is.
        Commands.ScheduleCommand.Next(session));

    static async Task<int> List(Session session)
    {
        using var server = RemoteServer.Of(session);
        var schedules = (await server.Get("/api/v1/schedules")).AsArray();
        session.Terminal.Give(schedules.DeepClone(), () => TextTable.Of(["SCHEDULE", "RUNBOOK", "ENVIRONMENT", "STATE", "NEXT (UTC)", "LAST", "RUN"], schedules.Select(s => Row(s!))));
        return 0;
    }

    static string[] Row(JsonNode s) =>
    [
        s["name"]!.ToString(), s["runbook"]!.ToString(), s["environment"]!.ToString(), s["state"]!.ToString(), Moment(s["next"]),
        s["last"] is { } last ? $"{last["result"]} {Moment(last["planned"])}" : "", s["last"]?["run"]?.ToString() ?? "",
    ];

    static string Moment(JsonNode? at) => at is null ? "" : DateTimeOffset.Parse(at.ToString(), CultureInfo.InvariantCulture).UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    static Verb Deed(Session session, string verb, string summary, string done)
    {
        var name = new Argument<string>("NAME") { Description = "The schedule." };
        var confirm = Given.Text("--confirm-environment", "NAME", "The name of the protected environment.");
        var fires = verb == "fire";
        return new Verb(verb, summary, $"helix schedule {verb} redis_hourly").Takes(name).With(fires ? [confirm] : []).Does(async parsed =>
        {
            using var server = RemoteServer.Of(session);
            var body = fires && parsed.GetValue(confirm) is { } typed ? new JsonObject { ["confirmEnvironment"] = typed } : new JsonObject();
            var answer = await server.Post($"/api/v1/schedules/{parsed.GetValue(name)}/{verb}", body, key: fires ? Guid.NewGuid().ToString("N") : null);
            if (answer["run"] is not { } run)
            {
                session.Terminal.Say($"The schedule {parsed.GetValue(name)} {done}.");
                return 0;
            }
            session.Terminal.Say($"Run {run} {done}: {answer["page"]}");
            return await RemoteRun.Follow(session, server, run.ToString());
        });
    }
}
