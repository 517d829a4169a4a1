using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Processes;
using Helix.Steps.Neo4j;
using Helix.Steps.Targets;

namespace Helix.Runbooks.Tests.Neo4j;

/// <summary>FakeTool as server and as admin tool of a version that cannot be installed here, run as processes of a fresh folder.</summary>
sealed class PosedNeo4j : IAsyncDisposable
{
    readonly Dictionary<string, string> _environment = [];

    PosedNeo4j(string version, string edition)
    {
        Folder = Directory.CreateTempSubdirectory("helix-posed-").FullName;
        Host = new TestHost();
        var port = Ports.Free();
        Target = Host.Add("neo4j", new Neo4jTarget
        {
            Url = $"http://127.0.0.1:{port}",
            Admin = [Fake.Path, "neo4j-admin", version, edition],
            Runtime = new()
            {
                Process = new()
                {
                    Start = [Fake.Path, "neo4j-server", version, edition, $"{port}"],
                    PidFile = System.IO.Path.Combine(Folder, "neo4j.pid"),
                    Directory = Folder,
                    Log = System.IO.Path.Combine(Folder, "out.log"),
                    Environment = _environment,
                },
            },
        });
    }

    public string Folder { get; }
    public TestHost Host { get; }
    public Neo4jTarget Target { get; }
    public string Store => System.IO.Path.Combine(Folder, "data", "databases", "neo4j");

    /// <summary>A habit of server or tool, from now on.</summary>
    public string Odd { set => _environment["HELIX_NEO4J_ODD"] = value; }

    /// <summary>Where commands beside the server are looked for.</summary>
    public string Path { set => _environment["PATH"] = value; }

    /// <summary>What the admin tool was called with, in order.</summary>
    public IReadOnlyList<string> Calls => File.Exists(System.IO.Path.Combine(Folder, "admin.log")) ? File.ReadAllLines(System.IO.Path.Combine(Folder, "admin.log")) : [];
    public string? Pid => File.Exists(System.IO.Path.Combine(Folder, "server.pid")) ? File.ReadAllText(System.IO.Path.Combine(Folder, "server.pid")) : null;

    public static async Task<PosedNeo4j> Start(string version = "5.25.1", string edition = "community", long personas = 10)
    {
        var posed = new PosedNeo4j(version, edition);
        StubGraph.Of(personas).Write(posed.Store);
        try
        {
            await posed.Run();
            return posed;
        }
        catch
        {
            await posed.DisposeAsync();
            throw;
        }
    }

    public async Task Run()
    {
        Host.SavedValues.Clear();
        await Host.Run(new TargetStart(), new() { Targets = ["neo4j"], Limit = new(Hang.Limit) });
    }

    /// <summary>The server holds something else from now on.</summary>
    public void Hold(long personas)
    {
        StubGraph.Of(personas).Write(Store);
        Host.SavedValues.Clear();
    }

    public Task<Neo4jDumpOutputs> Dump(ArchiveWay way = ArchiveWay.Auto) => Host.Run(new Neo4jDump(), new() { Target = "neo4j", To = "work/neo4j.dump", Way = way });

    /// <summary>The engine dies right after it saved that a load is so far, the first time <paramref name="after"/> a stage.</summary>
    public async Task DiesAt(Func<Task> load, Func<LoadProgress, bool> there, LoadStage after = LoadStage.Begun)
    {
        var died = new TaskCompletionSource();
        var passed = false;
        Host.AfterSave = (key, _) =>
        {
            if (key != "load" || LoadProgress.Of(Host.Context()) is not { } at)
                return Task.CompletedTask;
            passed |= at.Stage >= after;
            if (!passed || !there(at))
                return Task.CompletedTask;
            died.TrySetResult();
            return new TaskCompletionSource().Task;
        };
        var ended = load();
        await Task.WhenAny(died.Task, ended);
        Assert.True(died.Task.IsCompleted);
        Host.AfterSave = null;
    }

    /// <summary>Of a store that is kept aside.</summary>
    public long NodesIn(string aside) => StubGraph.Read(System.IO.Path.Combine(Folder, aside, "databases", "neo4j")).Nodes;

    public async Task<long> Nodes() => (await Host.Run(new Neo4jCounts(), new() { Target = "neo4j" })).Nodes;

    /// <summary>What a step left in the data folder beside the databases.</summary>
    public IReadOnlyList<string> LeftBeside => [.. Directory.GetFileSystemEntries(System.IO.Path.Combine(Folder, "data")).Select(e => System.IO.Path.GetFileName(e)!).Where(n => n is not ("databases" or "transactions"))];

    public async ValueTask DisposeAsync()
    {
        await Target.Service.Stop(Host.Context(), TimeSpan.FromSeconds(1));
        Host.Dispose();
        await Eventually.True(() =>
        {
            TempFolder.Delete(Folder);
            return true;
        }, $"{Folder} is removed");
    }
}
