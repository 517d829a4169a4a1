using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

public sealed record ClusterMember
{
    public required string Id { get; init; }
    public required string Address { get; init; }

    /// <summary>Enabled, Free, Cordoned, Deallocating or Dropped; before 5.0 always Enabled.</summary>
    public required string State { get; init; }
    public required bool Available { get; init; }
}

public sealed record ClusterDatabase
{
    public required string Name { get; init; }

    /// <summary>Members on which it is online.</summary>
    public required int Online { get; init; }

    /// <summary>Members on which it should be.</summary>
    public required int Wanted { get; init; }

    /// <summary>Who takes writes; missing while nobody does.</summary>
    public string? Writer { get; init; }

    /// <summary>More than one says that it does.</summary>
    public required int Writers { get; init; }
}

/// <summary>What one member says of its cluster: SHOW SERVERS and SHOW DATABASES, or the procedure that 4.x had (NEO-10).</summary>
sealed record ClusterView(IReadOnlyList<ClusterMember> Members, IReadOnlyList<ClusterDatabase> Databases)
{
    public static async Task<ClusterView> Of(Neo4jConnection server)
    {
        var about = await server.About();
        if (about.Edition == Neo4jEdition.Community)
            throw StepFailedException.Conflict($"{server.Name} is a Community edition, which knows no cluster.", "A Community server is one server: restore it from a backup.");
        return about.Version.IsAtLeast(5) ? await Five(server) : await Four(server);
    }

    static async Task<ClusterView> Five(Neo4jConnection server)
    {
        var servers = await server.Ask("SHOW SERVERS YIELD serverId, name, address, state, health RETURN serverId, name, address, state, health", database: "system");
        var databases = await server.Ask("SHOW DATABASES YIELD name, address, currentStatus, requestedStatus, writer RETURN name, address, currentStatus, requestedStatus, writer", database: "system");
        return new(
            [.. servers.Objects.Select(s => new ClusterMember { Id = Text(s["serverId"]), Address = Text(s["address"]), State = Text(s["state"]), Available = Text(s["health"]) == "Available" })],
            [.. databases.Objects.GroupBy(d => Text(d["name"])).Select(d => Database(d.Key, [.. d]))]);
    }

    static ClusterDatabase Database(string name, IReadOnlyList<JsonObject> hosts)
    {
        var writers = hosts.Where(h => (bool?)h["writer"] == true && Text(h["currentStatus"]) == "online").ToList();
        return new()
        {
            Name = name,
            Online = hosts.Count(h => Text(h["currentStatus"]) == "online"),
            Wanted = hosts.Count(h => Text(h["requestedStatus"]) == "online"),
            Writer = writers.Count == 0 ? null : Text(writers[0]["address"]),
            Writers = writers.Count,
        };
    }

    static async Task<ClusterView> Four(Neo4jConnection server)
    {
        var rows = (await server.Ask("CALL dbms.cluster.overview() YIELD id, addresses, databases RETURN id, addresses, databases", database: "system")).Objects.ToList();
        var roles = rows.SelectMany(r => r["databases"]!.AsObject().Select(d => (Database: d.Key, Role: Text(d.Value), Address: Text(r["addresses"]![0])))).ToList();
        return new(
            [.. rows.Select(r => new ClusterMember { Id = Text(r["id"]), Address = Text(r["addresses"]![0]), State = "Enabled", Available = true })],
            [.. roles.GroupBy(r => r.Database).Select(d => new ClusterDatabase
            {
                Name = d.Key,
                Online = d.Count(r => r.Role is "LEADER" or "FOLLOWER" or "READ_REPLICA"),
                Wanted = d.Count(),
                Writer = d.FirstOrDefault(r => r.Role == "LEADER").Address,
                Writers = d.Count(r => r.Role == "LEADER"),
            })]);
    }

    /// <summary>What is not as it should be, in words.</summary>
    public IEnumerable<string> Problems(int? wanted)
    {
        foreach (var member in Members.Where(m => m.State == "Enabled" && !m.Available))
            yield return $"{member.Address} is not available";
        var there = Members.Count(m => m is { State: "Enabled", Available: true });
        if (there < wanted)
            yield return $"{there} members are available instead of {wanted}";
        if (Members.Where(m => m.State == "Free").Select(m => m.Address).ToList() is [_, ..] free)
            yield return $"{string.Join(", ", free)} waits to be taken in";
        foreach (var database in Databases)
        {
            if (database.Writers != 1)
                yield return database.Writers == 0 ? $"nobody takes writes of '{database.Name}'" : $"{database.Writers} members take writes of '{database.Name}'";
            if (database.Online < database.Wanted)
                yield return $"'{database.Name}' is online on {database.Online} of {database.Wanted} members";
        }
    }

    static string Text(JsonNode? value) => value?.ToString() ?? "";
}
