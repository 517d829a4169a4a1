using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Runs;
using Helix.Steps.Kubernetes;

namespace Helix.Runbooks.Tests.Kubernetes;

public sealed class KubernetesTargetTests : IDisposable
{
    readonly KubeServer _server = new();
    readonly TestHost _host = new();

    public void Dispose()
    {
        _host.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task K8S_07_every_call_names_context_and_namespace_and_the_selected_context_is_never_used()
    {
        var target = _host.Add("cluster", _server.Target);
        _server.Cluster.Make(KubeManifests.Deployment("web"));
        await _host.Run(new KubernetesRollout(), new() { Target = "cluster", Workloads = ["deployment/web"] });
        // The kubeconfig's current context leads to a dead port, and its contexts to the namespace default.
        Assert.Contains(_server.Requests, r => r.Path == "/apis/apps/v1/namespaces/helix/deployments/web");
        Assert.DoesNotContain(_server.Requests, r => r.Path.Contains("/namespaces/default", StringComparison.Ordinal));
        var global = new Kubectl(target, _host.PlanContext()).Global;
        Assert.Equal(["--context", "dr", "--namespace", "helix"], global.Skip(2).Take(4));
    }

    [Fact]
    public void K8S_07_an_environment_without_context_or_namespace_is_invalid()
    {
        var file = Path.Combine(_host.Folder, "env.yaml");
        File.WriteAllText(file, "apiVersion: helix.runbooks/v1\nname: env\ntargets:\n  one: { kind: kubernetes, namespace: helix }\n  two: { kind: kubernetes, context: dr }\n");
        var read = new EnvironmentReader(RunHarness.Catalog).ReadFile(file);
        Assert.Null(read.Value);
        Assert.Contains(read.Problems, p => p.ToString()!.Contains("'context'", StringComparison.Ordinal));
        Assert.Contains(read.Problems, p => p.ToString()!.Contains("'namespace'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_place_is_the_clusters_own_id_or_where_that_may_not_be_read_its_address()
    {
        var target = _host.Add("cluster", _server.Target);
        Assert.Equal($"{KubeCluster.Uid}/helix", await target.ReadPlace(_host.PlanContext()));
        Assert.Equal($"{_server.Url}/helix", await (target with { IdentifyBy = ClusterIdentity.Server }).ReadPlace(_host.PlanContext()));
        _server.Cluster.Forbidden = true;
        Assert.Equal($"{_server.Url}/helix", await target.ReadPlace(_host.PlanContext()));
        Assert.Equal("Kubernetes v1.32.0-stub at dr, namespace helix", await target.Check(_host.PlanContext()));
        _server.Fault = _ => KubeFault.Unavailable;
        Assert.Null(await target.ReadPlace(_host.PlanContext()));
    }

    [Fact]
    public async Task PM_06_The_namespace_says_by_a_label_to_which_environment_it_belongs()
    {
        var target = _host.Add("cluster", _server.Target);
        Assert.Null(await target.ReadLabel(_host.PlanContext()));
        _server.Cluster.Environment = "production";
        Assert.Equal("production", await target.ReadLabel(_host.PlanContext()));
    }

    [Theory]
    [InlineData("stranger", FailureClass.Auth)]
    [InlineData("nowhere", FailureClass.Missing)]
    [InlineData("prod", FailureClass.Transient)]
    public async Task A_wrong_account_context_or_server_is_told_apart(string context, FailureClass expected)
    {
        var target = _host.Add("cluster", _server.Target with { Context = context });
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => new Kubectl(target, _host.PlanContext()).Get("deployment/web"));
        Assert.True(expected == failure.Failure, failure.ToString());
    }

    [Fact]
    public async Task Too_many_requests_and_a_dropped_connection_pass_and_an_object_that_is_missing_is_named()
    {
        var target = _host.Add("cluster", _server.Target);
        var left = 2;
        _server.Fault = r => r.Path.EndsWith("/deployments/web", StringComparison.Ordinal) && Interlocked.Decrement(ref left) >= 0 ? KubeFault.TooManyRequests : KubeFault.None;
        var missing = await Assert.ThrowsAsync<StepFailedException>(() => new Kubectl(target, _host.PlanContext()).Get("deployment/web"));
        Assert.Equal((FailureClass.Missing, "There is no deployment/web in namespace helix of dr."), (missing.Failure, missing.Message));
        Assert.True(left < 0);
        _server.Fault = r => r.Path.EndsWith("/deployments/web", StringComparison.Ordinal) ? KubeFault.Drop : KubeFault.None;
        Assert.Equal(FailureClass.Transient, (await Assert.ThrowsAsync<StepFailedException>(() => new Kubectl(target, _host.PlanContext()).Get("deployment/web"))).Failure);
    }
}
