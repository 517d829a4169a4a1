using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;

namespace Helix.Cli.Commands;

static class NodesCommand
{
    public static Command Make(Session session) => new Verb("nodes", "The servers of the store: where each is, what it has, and what it drives.", "helix nodes", "helix nodes --json")
        .Does(_ =>
        {
            var nodes = session.Store.Nodes();
            session.Terminal.Give(new JsonArray([.. nodes.Select(ToJson)]), () => ToText(nodes, session.Time.GetUtcNow()));
            return 0;
        });

    public static string ToText(IReadOnlyList<Node> nodes, DateTimeOffset now) => nodes.Count == 0
        ? "No server has joined this store."
        : TextTable.Of(["node", "at", "labels", "seen", "state", "drives"], nodes.Select(n => new[]
        {
            n.Name, n.Address, NodeLabels.Words(n.Labels), Words.Ago(n.SeenAt, now), n.DrainedBy is null ? "takes work" : $"drained by {n.DrainedBy}", string.Join(' ', n.Drives),
        }));

    static JsonObject ToJson(Node n) => new()
    {
        ["name"] = n.Name,
        ["address"] = n.Address,
        ["labels"] = new JsonObject(n.Labels.Select(l => KeyValuePair.Create(l.Key, (JsonNode?)l.Value))),
        ["host"] = n.Process.Host,
        ["pid"] = n.Process.Pid,
        ["startedAt"] = n.StartedAt,
        ["seenAt"] = n.SeenAt,
        ["drainedBy"] = n.DrainedBy,
        ["drives"] = new JsonArray([.. n.Drives.Select(r => JsonValue.Create(r))]),
    };
}
