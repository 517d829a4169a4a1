using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Cli.Commands;

namespace Helix.Cli.Remote;

/// <summary>The nodes of a team's server, through any of them.</summary>
static class RemoteNodes
{
    static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    public static Command Nodes(Session session) => new Verb("nodes", "The servers of the store: where each is, what it has, and what it drives.", "helix nodes").Does(async _ =>
    {
        using var server = RemoteServer.Of(session);
        var nodes = (await server.Get("/api/v1/nodes")).AsArray();
        session.Terminal.Give(nodes, () => TextTable.Of(["node", "at", "labels", "seen", "drained by", "drives"], nodes.Select(n => new[]
        {
            $"{n!["name"]}", $"{n["address"]}", string.Join(", ", n["labels"]!.AsObject().Select(l => $"{l.Key}={l.Value}")), $"{n["seenAt"]}", $"{n["drainedBy"]}", Drives(n),
        })));
        return 0;
    });

    public static Command Drain(Session session)
    {
        var (node, lift, wait) = DrainCommand.Parameters();
        return DrainCommand.Verb().Takes(node).With(lift, wait).Does(async parsed =>
        {
            using var server = RemoteServer.Of(session);
            var name = parsed.GetValue(node)!;
            await server.Post($"/api/v1/nodes/{Uri.EscapeDataString(name)}/drain", new JsonObject { ["drain"] = !parsed.GetValue(lift) });
            DrainCommand.Said(session, name, parsed.GetValue(lift));
            while (parsed.GetValue(wait) && (await server.Get("/api/v1/nodes")).AsArray().Any(n => n!["name"]!.GetValue<string>() == name && Drives(n).Length > 0))
                await Task.Delay(Look, session.Time);
            return 0;
        });
    }

    static string Drives(JsonNode node) => string.Join(' ', node["drives"]!.AsArray().Select(r => r!.GetValue<string>()));
}
