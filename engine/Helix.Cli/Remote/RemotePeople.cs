using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Cli.Remote;

/// <summary>What people agree to and hand over on a server.</summary>
static class RemotePeople
{
    public static Command Ratify(Session session)
    {
        var run = RemoteTable.RunArgument();
        var question = new Argument<string?>("QUESTION") { Description = "Not needed when there is one.", Arity = ArgumentArity.ZeroOrOne };
        var reason = Given.Reason(required: true);
        return new Verb("ratify", "Agrees afterwards to what one person approved alone by break-glass.", "helix ratify 260301-0200 go --reason 'right: nobody else could be reached'").Takes(run, question).With(reason)
            .Does(async parsed =>
            {
                using var server = RemoteServer.Of(session);
                await server.Post($"/api/v1/runs/{parsed.GetValue(run)}/ratify", new JsonObject { ["question"] = parsed.GetValue(question), ["reason"] = parsed.GetValue(reason) });
                session.Terminal.Say($"Ratified in the record of run {parsed.GetValue(run)}.");
                return 0;
            });
    }

    public static Command Secret(Session session)
    {
        var run = RemoteTable.RunArgument();
        var name = new Argument<string?>("NAME") { Description = "Which secret; not needed when one is asked.", Arity = ArgumentArity.ZeroOrOne };
        return new Verb("secret", "Hands a secret to the step of a run that waits for it. It is typed without an echo or read from standard input, and stored nowhere.", "helix secret 260301-0200 share").Takes(run, name)
            .Does(parsed => Give(session, parsed.GetValue(run)!, parsed.GetValue(name)));
    }

    static async Task<int> Give(Session session, string run, string? name)
    {
        using var server = RemoteServer.Of(session);
        if (server.Address.Scheme != Uri.UriSchemeHttps && !server.Address.IsLoopback)
            throw new RunbookException($"{server.Address} is reached without TLS, so that everybody on the way could read the secret.", "Give the address that begins with https://.");
        var asked = (await server.Get($"/api/v1/runs/{run}/secrets")).AsArray().Where(s => name is null || s!["name"]!.GetValue<string>() == name).ToList();
        if (asked.Select(s => s!["name"]!.GetValue<string>()).Distinct().Count() != 1)
            throw new RunbookException(asked.Count == 0 ? $"Run {run} waits for no {(name is null ? "secret" : $"'{name}'")} now." : $"Run {run} waits for several secrets.",
                asked.Count == 0 ? null : "Name one: " + string.Join(", ", asked.Select(s => s!["name"]!.GetValue<string>()).Distinct()) + ".");
        session.Terminal.Say(session.Terminal.Talk(asked[0]!["message"]!.GetValue<string>()));
        var value = session.Terminal.ReadHidden($"{asked[0]!["name"]}: ");
        await server.Post($"/api/v1/runs/{run}/secrets", new JsonObject { ["ask"] = asked[0]!["ask"]!.GetValue<string>(), ["value"] = value });
        session.Terminal.Say($"'{asked[0]!["name"]}' was taken.");
        return 0;
    }
}
