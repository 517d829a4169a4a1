using System.CommandLine;
using System.Text.Json.Nodes;

namespace Helix.Cli.Remote;

/// <summary>What is done to runs on a server.</summary>
static class RemoteDeeds
{
    public static Command Resume(Session session)
    {
        var run = RemoteTable.RunArgument();
        var confirm = Given.Text("--confirm-environment", "NAME", "The name of the protected environment.");
        return new Verb("resume", "Goes on with a run that nobody drives.", "helix resume 260301-0200").Takes(run).With(confirm)
            .Does(async parsed =>
            {
                using var server = RemoteServer.Of(session);
                await server.Post($"/api/v1/runs/{parsed.GetValue(run)}/resume", new JsonObject { ["confirmEnvironment"] = parsed.GetValue(confirm) });
                return await RemoteRun.Follow(session, server, parsed.GetValue(run)!);
            });
    }

    public static Command Pause(Session session)
    {
        var run = RemoteTable.RunArgument();
        return new Verb("pause", "Suspends a run after its running steps.", "helix pause 260301-0200").Takes(run).Does(parsed => Post(session, parsed.GetValue(run)!, "pause", [], "is asked to pause"));
    }

    public static Command Cancel(Session session) => Reasoned(session, "cancel", "Ends a run: rescue and finally still run.", "is asked to end");
    public static Command Close(Session session) => Reasoned(session, "close", "Acknowledges what a run that ended has left changed.", "is closed");

    public static Command Note(Session session)
    {
        var run = RemoteTable.RunArgument();
        var text = new Argument<string>("TEXT") { Description = "What was seen or done outside." };
        return new Verb("note", "Adds a note to the record of a run.", "helix note 260301-0200 'firewall opened at 02:41'").Takes(run, text)
            .Does(parsed => Post(session, parsed.GetValue(run)!, "notes", new JsonObject { ["text"] = parsed.GetValue(text) }, "has the note"));
    }

    static Verb Reasoned(Session session, string verb, string summary, string done)
    {
        var run = RemoteTable.RunArgument();
        var reason = Given.Reason(required: true);
        return new Verb(verb, summary, $"helix {verb} 260301-0200 --reason 'the wrong backup'").Takes(run).With(reason)
            .Does(parsed => Post(session, parsed.GetValue(run)!, verb, new JsonObject { ["reason"] = parsed.GetValue(reason) }, done));
    }

    static async Task<int> Post(Session session, string run, string what, JsonObject body, string done)
    {
        using var server = RemoteServer.Of(session);
        await server.Post($"/api/v1/runs/{run}/{what}", body);
        session.Terminal.Say($"Run {run} {done}.");
        return 0;
    }
}
