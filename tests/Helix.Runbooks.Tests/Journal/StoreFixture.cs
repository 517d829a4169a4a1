using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Postgres;
using Microsoft.Extensions.Time.Testing;

namespace Helix.Runbooks.Tests.Journal;

/// <summary>A store in a folder of its own, on a scripted clock. The one place that knows how a store is made: another kind of store passes the same tests.</summary>
public sealed class StoreFixture : IDisposable
{
    public static readonly DateTimeOffset Start = new(2026, 3, 1, 2, 0, 0, TimeSpan.Zero);
    public static readonly Person Alice = new("alice", IdentityStrength.Os, "uid 1000");
    public static readonly Person Bob = new("bob", IdentityStrength.Signed, "ssh");

    readonly List<JournalStore> _others = [];

    public StoreFixture(PostgresServer? server = null)
    {
        // In memory where there is such a place: these tests are about order, not about the disk.
        Folder = Directory.Exists("/dev/shm")
            ? Directory.CreateDirectory($"/dev/shm/helix-journal-{Guid.NewGuid():N}").FullName
            : Directory.CreateTempSubdirectory("helix-journal-").FullName;
        Place = server?.Store() ?? Path.Combine(Folder, "helix.db");
        Store = JournalStore.Open(Place, Time);
    }

    public string Folder { get; }

    /// <summary>The name of the store.</summary>
    public string Place { get; }
    public FakeTimeProvider Time { get; } = new(Start);
    public JournalStore Store { get; }

    /// <summary>A second opening of the same store, as another process has it.</summary>
    public JournalStore Other()
    {
        var other = JournalStore.Open(Place, Time);
        _others.Add(other);
        return other;
    }

    /// <summary>Past the store, as somebody does who changes what is kept.</summary>
    public int Sql(string sql)
    {
        using var raw = new Database(StorePlace.DialectOf(Place, new()), durable: true);
        return raw.Run(sql);
    }

    public static Driver DriverOf(int pid) => new("elsewhere", "boot", pid, 1, "alice");

    public static RunStarted Started(string runbook = "redis-restore", string mode = "live") => new()
    {
        Runbook = runbook,
        Title = "Restore",
        Environment = "prod",
        Mode = mode,
        Operator = Alice,
        Trigger = "terminal",
        Attended = true,
        Inputs = new JsonObject { ["backup"] = "latest", ["größe"] = 12.50 },
        DeclaredAt = Start,
        PlanHash = "abc",
        RunbookPath = "/b/book.yaml",
        EnvironmentPath = "/b/env.yaml",
        Pinned = new Dictionary<string, string>(),
        Work = "/w",
        Safe = "/s",
        BaseDirectory = "/b",
    };

    public static StepStarted StepStarted(string path) => new(path, 1, "redis.save", new JsonObject { ["target"] = "redis" }, [TargetEffect.Reads("redis")]);
    public static StepSucceeded StepSucceeded(string path) => new(path, new JsonObject { ["keys"] = 10_000, ["file"] = "/a \"b\" <c> é\n" });

    public void Dispose()
    {
        foreach (var other in _others)
            other.Dispose();
        Store.Dispose();
        TempFolder.Delete(Folder);
    }
}
