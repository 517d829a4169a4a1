using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Kubernetes;

namespace Helix.Runbooks.Tests.Kubernetes;

public sealed class KubernetesApplyTests : IDisposable
{
    readonly KubeServer _server = new();
    readonly TestHost _host = new();

    public KubernetesApplyTests() => _host.Add("cluster", _server.Target);

    public void Dispose()
    {
        _host.Dispose();
        _server.Dispose();
    }

    KubernetesApplyOptions Apply(params string[] manifests) =>
        new() { Target = "cluster", Files = [.. manifests.Select((m, i) => _host.Write($"{i}.yaml", System.Text.Encoding.UTF8.GetBytes(m)))] };

    [Fact]
    public async Task Objects_are_applied_by_the_server_after_it_has_tried_them()
    {
        var done = await _host.Run(new KubernetesApply(), Apply(KubeManifests.Deployment("web"), KubeManifests.Service("web", """{ "app": "web" }""")));
        Assert.Equal(["deployment.apps/web", "service/web"], done.Objects);
        Assert.NotNull(_server.Cluster["Deployment", "web"]);
        var patches = _server.Requests.Where(r => r.Method == "PATCH").Select(r => r.Query).ToList();
        Assert.Equal(4, patches.Count);
        Assert.All(patches, q => Assert.Contains("fieldManager=helix-runbooks", q, StringComparison.Ordinal));
        Assert.All(patches.Take(2), q => Assert.Contains("dryRun=All", q, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_plan_asks_the_server_and_changes_nothing()
    {
        var options = Apply(KubeManifests.Deployment("web"));
        var plan = await _host.Plan(new KubernetesApply(), options);
        Assert.Equal("Apply deployment.apps/web in cluster; the server would take it.", Assert.Single(plan.Lines));
        Assert.Null(_server.Cluster["Deployment", "web"]);
        _server.Fault = _ => KubeFault.Unavailable;
        Assert.Single((await _host.Plan(new KubernetesApply(), options)).Warnings);
    }

    [Fact]
    public async Task The_namespace_of_a_new_cluster_is_made_if_asked()
    {
        _server.Cluster.IsNew = true;
        var options = Apply(KubeManifests.Deployment("web"));
        Assert.Contains("namespaces \"helix\" not found", (await _host.Fails(FailureClass.Missing, new KubernetesApply(), options)).Message, StringComparison.Ordinal);
        await _host.Run(new KubernetesApply(), options with { CreateNamespace = true });
        Assert.NotNull(_server.Cluster["Deployment", "web"]);
    }

    [Fact]
    public async Task Fields_that_somebody_else_manages_are_taken_over_only_if_asked()
    {
        _server.Cluster.Make(KubeManifests.Deployment("web", "web:0"));
        var options = Apply(KubeManifests.Deployment("web", "web:1"));
        var failure = await _host.Fails(FailureClass.Conflict, new KubernetesApply(), options);
        Assert.Contains("somebody-else", failure.Message, StringComparison.Ordinal);
        await _host.Run(new KubernetesApply(), options with { Force = true });
        Assert.Equal("web:1", _server.Cluster["Deployment", "web"]!["spec"]!["template"]!["spec"]!["containers"]![0]!["image"]!.ToString());
    }

    [Fact]
    public async Task A_deletion_keeps_a_copy_and_spares_what_holds_data()
    {
        _server.Cluster.Make(KubeManifests.Deployment("blue"), """{ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": "data" }, "spec": {} }""");
        var refused = await _host.Fails(FailureClass.Conflict, new KubernetesDelete(), new() { Target = "cluster", Objects = ["deployment/blue", "pvc/data"] });
        Assert.Contains("persistentvolumeclaim/data holds data", refused.Message, StringComparison.Ordinal);
        var options = new KubernetesDeleteOptions { Target = "cluster", Objects = ["deployment/blue", "service/never-there"], SafetyCopy = Path.Combine(_host.Safe, "blue.yaml") };
        Assert.Equal(ProbeVerdict.NotDone, (await _host.Probe(new KubernetesDelete(), options)).Verdict);
        var done = await _host.Run(new KubernetesDelete(), options);
        Assert.Equal(["deployment.apps/blue"], done.Deleted);
        Assert.Null(_server.Cluster["Deployment", "blue"]);
        Assert.Contains("kind: Deployment", File.ReadAllText(done.File!), StringComparison.Ordinal);
        Assert.Equal(ProbeVerdict.Done, (await _host.Probe(new KubernetesDelete(), options)).Verdict);
        Assert.Equal(Effect.Destroys, Assert.Single(new KubernetesDelete().Effects(options)).Effect);
    }

    [Fact]
    public async Task A_deletion_that_is_tried_again_keeps_the_copy_of_all_that_was_there_before()
    {
        _server.Cluster.Make(KubeManifests.Deployment("blue"), KubeManifests.Deployment("green"));
        var options = new KubernetesDeleteOptions { Target = "cluster", Objects = ["deployment/blue", "deployment/green"], SafetyCopy = Path.Combine(_host.Safe, "both.yaml") };
        // The first attempt comes as far as its copy, and one of the two is deleted.
        _host.OnSave = (_, _) => _server.Fault = _ => KubeFault.Unavailable;
        await _host.Fails(FailureClass.Transient, new KubernetesDelete(), options);
        _host.OnSave = null;
        _server.Fault = _ => KubeFault.None;
        await _host.Run(new KubernetesDelete(), options with { Objects = ["deployment/blue"], SafetyCopy = null });

        var done = await _host.Run(new KubernetesDelete(), options, attempt: 2);

        Assert.Equal(["deployment.apps/green"], done.Deleted);
        Assert.All(["blue", "green"], name => Assert.Contains($"name: {name}", File.ReadAllText(done.File!), StringComparison.Ordinal));
        Assert.Equal(done.File, (await _host.Probe(new KubernetesDelete(), options)).Outputs!.File);

        // Another round is another copy.
        _host.SavedValues.Clear();
        _server.Cluster.Make(KubeManifests.Deployment("green"));
        Assert.EndsWith("both-2.yaml", (await _host.Run(new KubernetesDelete(), options)).File, StringComparison.Ordinal);
        Assert.Contains("name: blue", File.ReadAllText(done.File!), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waiting_ends_when_the_value_is_there_and_says_what_it_saw_when_not()
    {
        _server.Cluster.Make(KubeManifests.Deployment("web"));
        var seen = await _host.Run(new KubernetesWait(), new() { Target = "cluster", Object = "deployment/web", Path = "$.status.readyReplicas", Is = "1" });
        Assert.Equal("1", seen.Value);
        await _host.Run(new KubernetesWait(), new() { Target = "cluster", Object = "deployment/none", Gone = true });
        var failure = await _host.Fails(FailureClass.TimedOut, new KubernetesWait(), new() { Target = "cluster", Object = "deployment/web", Condition = "Available", Limit = new(TimeSpan.Zero) });
        Assert.Contains("without the condition Available", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_generation_that_a_controller_writes_as_text_is_a_number_all_the_same()
    {
        var looks = 0;
        _server.Cluster.Make(KubeManifests.Deployment("web"));
        _server.Cluster.Amend = status =>
        {
            status["conditions"] = new JsonArray(new JsonObject { ["type"] = "Available", ["status"] = "True" });
            status["observedGeneration"] = ++looks > 2 ? "1" : "0";
        };
        await _host.Run(new KubernetesWait(), new() { Target = "cluster", Object = "deployment/web", Condition = "Available" });
        Assert.Equal(3, looks);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_condition_of_the_generation_before_is_not_taken_for_that_of_the_new_one(bool ofTheCondition)
    {
        var looks = 0;
        _server.Cluster.Make(KubeManifests.Deployment("web"));
        _server.Cluster.Amend = status =>
        {
            var condition = new JsonObject { ["type"] = "Available", ["status"] = "True" };
            status["conditions"] = new JsonArray(condition);
            (ofTheCondition ? condition : status)["observedGeneration"] = ++looks > 2 ? 1 : 0;
        };
        Assert.StartsWith("Available True", (await _host.Run(new KubernetesWait(), new() { Target = "cluster", Object = "deployment/web", Condition = "Available" })).Value, StringComparison.Ordinal);
        Assert.Equal(3, looks);
    }
}
