using Helix.Runbooks.Tests.Http;
using Helix.Runbooks.Tests.Neo4j;
using Helix.Steps.Neo4j;

namespace Helix.Runbooks.Tests.Kubernetes;

/// <summary>Scenario 2 loads into a stopped database: by scratch pods on the claim of its stateful set. The server and its admin tool are stubs, kubectl is real.</summary>
public sealed class GraphInClusterTests : IDisposable
{
    readonly KubeServer _server = new();
    readonly TestHost _host = new();

    public GraphInClusterTests()
    {
        KubePods.Need();
        _server.Cluster.Pods.Furnish = KubeImages.Furnish;
        _host.Add("cluster", _server.Target);
        _server.Cluster.Make(KubeManifests.StatefulSet("neo4j", "neo4j:5.25"));
    }

    public void Dispose()
    {
        _host.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task A_graph_is_loaded_into_a_stopped_stateful_set_and_the_old_one_is_kept_on_the_claim()
    {
        var claim = _server.Cluster.Pods.ClaimOf("data-neo4j-0");
        var store = Path.Combine(claim, "databases", "neo4j");
        StubGraph.Of(10).Write(store);
        using var server = new StubServer("5.25.1", new(), Ports.Free(), store: store);
        _host.Add("neo4j", new Neo4jTarget { Url = server.Url, DataFolder = "/data", Runtime = new() { Kubernetes = "cluster", Workload = "statefulset/neo4j" } });

        var counts = new Dictionary<string, long> { ["nodes"] = 150, ["label:Persona"] = 50, ["label:Art`ifact"] = 100, ["relationships"] = 100, ["type:OWNS"] = 100 };
        var done = await _host.Run(new Neo4jLoad(), new() { Target = "neo4j", From = KubeImages.Archive(StubGraph.Of(50), _host.Work), Counts = counts });

        Assert.Equal(150, done.Counts["nodes"]);
        Assert.Contains("database load neo4j --from-stdin --overwrite-destination=true", await File.ReadAllLinesAsync(Path.Combine(claim, "admin.log"), TestContext.Current.CancellationToken));
        Assert.Equal(30, StubGraph.Read(Path.Combine(claim, Path.GetRelativePath("/data", done.SafetyCopy!), "databases", "neo4j")).Nodes);
        var set = _server.Cluster["StatefulSet", "neo4j"]!;
        Assert.Equal((1, 1), (set["spec"]!["replicas"]!.GetValue<int>(), set["status"]!["readyReplicas"]!.GetValue<int>()));
        Assert.Contains(_server.Requests, r => r.Method == "PATCH" && r.Path.EndsWith("/scale", StringComparison.Ordinal) && r.Body.Contains("\"replicas\":0", StringComparison.Ordinal));
        lock (_server.Cluster.Gate)
            Assert.Equal("neo4j-0", Assert.Single(_server.Cluster.List(KubeResource.All[1], KubeServer.Namespace, ""))["metadata"]!["name"]!.ToString());
    }
}
