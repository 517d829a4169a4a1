using System.Data.Common;
using System.Text.Json;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Journal;

public sealed partial class JournalStore
{
    /// <summary>A node that has not been seen for so long is no more.</summary>
    static readonly TimeSpan Forgotten = TimeSpan.FromDays(7);

    /// <summary>Two that have the same name would take each other's word: the second is refused while the first was just seen.</summary>
    static readonly TimeSpan JustSeen = TimeSpan.FromSeconds(10);

    /// <summary>Enters a server under its name; it takes work from now on.</summary>
    /// <exception cref="RunbookException">Another one of this name is there.</exception>
    public void Join(Node node)
    {
        lock (_writing)
            _dialect.Beside(_durable, NodeTables);
        Write(() =>
        {
            Alone(Room.Nodes);
            if (_durable.One(OfNodes + " WHERE name = ?1", ReadNode, node.Name) is { } other && other.Process != node.Process && IsThere(other))
                throw new RunbookException($"There is a node '{node.Name}' already: process {other.Process.Pid} on {other.Process.Host}.", "Give this one a name of its own: --node. The name of a node that died is free after some seconds.");
            _durable.Run("DELETE FROM nodes WHERE name = ?1 OR seen_at < ?2", node.Name, Chain.Text(_time.GetUtcNow() - Forgotten));
            return _durable.Run("INSERT INTO nodes (name, process, address, labels, started_at, seen_at, beat) VALUES (?1, ?2, ?3, ?4, ?5, ?5, 0)",
                node.Name, DriverText(node.Process), node.Address, JsonSerializer.Serialize(node.Labels), Chain.Text(_time.GetUtcNow()));
        });
    }

    bool IsThere(Node other) => !DriverIdentity.IsGone(other.Process) && (DriverIdentity.IsAlive(other.Process) || (_time.GetUtcNow() - other.SeenAt).Duration() < JustSeen);

    /// <summary>A node is there.</summary>
    public void Appear(Node node) => WriteRelaxed(database => database.Run(
        "UPDATE nodes SET beat = beat + 1, seen_at = ?3 WHERE name = ?1 AND process = ?2", node.Name, DriverText(node.Process), Chain.Text(_time.GetUtcNow())));

    /// <summary>What is known of a node, and what it is asked for; null when its name was taken from it.</summary>
    public Node? Find(Node node) => Look(database => database.One(OfNodes + " WHERE name = ?1 AND process = ?2", ReadNode, node.Name, DriverText(node.Process)));

    /// <summary>A node ends in order.</summary>
    public void Leave(Node node) => Write(() => _durable.Run("DELETE FROM nodes WHERE name = ?1 AND process = ?2", node.Name, DriverText(node.Process)));

    /// <summary>Asks a node to take nothing new and to give away what it drives, or to take work again.</summary>
    /// <exception cref="RunbookException">There is no such node.</exception>
    public void Drain(string name, Person by, bool drain)
    {
        if (Nodes().All(n => n.Name != name))
            throw new RunbookException($"There is no node '{name}'.", Nodes() is { Count: > 0 } all ? $"There are {string.Join(", ", all.Select(n => n.Name))}." : "A node is a `helix serve` on this store.");
        Write(() => _durable.Run("UPDATE nodes SET drained_by = ?2 WHERE name = ?1", name, drain ? by.Account : null));
    }

    /// <summary>The servers of this store, with what each drives.</summary>
    public IReadOnlyList<Node> Nodes() => Look(database =>
    {
        if (!_dialect.Has(database, "nodes"))
            return [];
        var driven = database.All("SELECT r.run, l.driver FROM leases l JOIN runs r ON r.number = l.number WHERE l.released = 0 AND r.ended_at IS NULL ORDER BY r.number",
            r => (Run: r.GetString(0), Driver: ReadDriver(r, 1)));
        return database.All(OfNodes + " ORDER BY name", ReadNode).ConvertAll(n => n with { Drives = [.. driven.Where(d => d.Driver == n.Process).Select(d => d.Run)] });
    });

    static Node ReadNode(DbDataReader r) => new()
    {
        Name = r.GetString(0),
        Process = ReadDriver(r, 1),
        Address = r.GetString(2),
        Labels = JsonSerializer.Deserialize<Dictionary<string, string>>(r.GetString(3))!,
        StartedAt = Chain.Time(r.GetString(4)),
        SeenAt = Chain.Time(r.GetString(5)),
        Beat = r.GetInt64(6),
        DrainedBy = r.IsDBNull(7) ? null : r.GetString(7),
    };

    const string OfNodes = "SELECT name, process, address, labels, started_at, seen_at, beat, drained_by FROM nodes";

    const string NodeTables = """
        CREATE TABLE IF NOT EXISTS nodes (
            name TEXT PRIMARY KEY, process TEXT NOT NULL, address TEXT NOT NULL, labels TEXT NOT NULL,
            started_at TEXT NOT NULL, seen_at TEXT NOT NULL, beat INTEGER NOT NULL, drained_by TEXT);
        """;
}

/// <summary>A server that may drive runs of the store.</summary>
public sealed record Node
{
    public required string Name { get; init; }
    public required Driver Process { get; init; }

    /// <summary>Where people reach it.</summary>
    public required string Address { get; init; }

    /// <summary>What a runbook may need, as site: a.</summary>
    public required IReadOnlyDictionary<string, string> Labels { get; init; }
    public DateTimeOffset StartedAt { get; init; }

    /// <summary>By its own clock, for people.</summary>
    public DateTimeOffset SeenAt { get; init; }
    public long Beat { get; init; }

    /// <summary>Who asked it to take nothing new; null: it takes work.</summary>
    public string? DrainedBy { get; init; }
    public IReadOnlyList<string> Drives { get; init; } = [];
}
