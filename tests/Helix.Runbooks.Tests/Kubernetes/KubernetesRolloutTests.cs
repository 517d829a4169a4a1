using System.Diagnostics;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Kubernetes;
using Helix.Steps.Targets;

namespace Helix.Runbooks.Tests.Kubernetes;

public sealed class KubernetesRolloutTests : IDisposable
{
    readonly KubeServer _server = new();
    readonly TestHost _host = new();

    public KubernetesRolloutTests() => _host.Add("cluster", _server.Target);

    public void Dispose()
    {
        _host.Dispose();
        _server.Dispose();
    }

    static KubernetesRolloutOptions Wait(string workload, int? seconds = null) => new() { Target = "cluster", Workloads = [workload], Limit = new(seconds is { } s ? TimeSpan.FromSeconds(s) : Hang.Limit) };

    [Fact]
    public async Task A_slow_rollout_is_waited_for()
    {
        _server.Cluster.Make(KubeManifests.Deployment("web", "web:slow", replicas: 2));
        _server.Fault = r =>
        {
            // The stub's pods get on when they are looked at.
            if (r.Path.EndsWith("/deployments/web", StringComparison.Ordinal))
                lock (_server.Cluster.Gate)
                    _ = _server.Cluster.List(KubeResource.All[1], KubeServer.Namespace, "").ToList();
            return KubeFault.None;
        };
        var done = await _host.Run(new KubernetesRollout(), Wait("deploy/web"));
        Assert.Equal(2, done.Ready["deployment/web"]);
        Assert.Contains("deployment/web: 0 of 2 pods are ready", _host.Logged);
    }

    [Theory]
    [InlineData("web:crash", "main waits: CrashLoopBackOff, back-off 10s restarting failed container, 4 restarts")]
    [InlineData("web:nopull", "main waits: ImagePullBackOff, Back-off pulling image \"web:nopull\"")]
    [InlineData("web:never", "main is not ready")]
    public async Task K8S_05_a_rollout_that_never_ends_is_ended_by_its_limit_and_says_why_its_pods_are_not_ready(string image, string reason)
    {
        _server.Cluster.Make(KubeManifests.Deployment("web", image));
        var failure = await _host.Fails(FailureClass.TimedOut, new KubernetesRollout(), Wait("deployment/web", seconds: 1));
        Assert.Contains("was not finished within 1s: 0 of 1 pods are ready.", failure.Message, StringComparison.Ordinal);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task K8S_05_a_paused_rollout_is_not_waited_for()
    {
        _server.Cluster.Make(KubeManifests.Deployment("web", more: "\"paused\": true,"));
        var failure = await _host.Fails(FailureClass.Conflict, new KubernetesRollout(), Wait("deployment/web"));
        Assert.Contains("it is paused", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task K8S_05_a_server_that_never_answers_is_left_and_no_child_stays()
    {
        _host.Add("hanging", _server.Target with { RequestTimeout = new(TimeSpan.FromSeconds(1)) });
        _server.Fault = r => r.Path.Contains("/deployments", StringComparison.Ordinal) ? KubeFault.Hang : KubeFault.None;
        var watch = Stopwatch.StartNew();
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => _host.Run(new KubernetesRollout(), Wait("deployment/web") with { Target = "hanging" }));
        Assert.True(failure.Failure is FailureClass.Transient or FailureClass.TimedOut, failure.ToString());
        Assert.True(watch.Elapsed < Hang.Limit, watch.Elapsed.ToString());
        await Eventually.True(() => !LeftOverProcess.Of(_host.PidFolder, "test/step").Any(p => p.GroupIsAlive), "no child stays");
    }

    [Fact]
    public async Task A_restart_replaces_the_pods_once_also_when_the_step_is_run_again()
    {
        _server.Cluster.Make(KubeManifests.Deployment("web"));
        var options = Wait("deployment/web") with { Restart = true };
        await _host.Run(new KubernetesRollout(), options);
        var generation = _server.Cluster["Deployment", "web"]!["metadata"]!["generation"]!.GetValue<int>();
        Assert.Equal(2, generation);
        await _host.Run(new KubernetesRollout(), options);
        Assert.Equal(2, _server.Cluster["Deployment", "web"]!["metadata"]!["generation"]!.GetValue<int>());
    }

    [Fact]
    public async Task A_workload_is_scaled_up_and_down_and_what_is_scaled_down_is_remembered()
    {
        _server.Cluster.Make(KubeManifests.Deployment("web"));
        var options = new KubernetesScaleOptions { Target = "cluster", Workload = "deployment/web", Replicas = 3 };
        Assert.Equal(1, (await _host.Run(new KubernetesScale(), options)).Before);
        Assert.Empty(_host.Left);
        await _host.Run(new KubernetesScale(), options with { Replicas = 0 });
        Assert.Equal("deployment/web is scaled down from 3 to 0", Assert.Single(_host.Left).What);
        Assert.Equal(0, _server.Cluster["Deployment", "web"]!["status"]!["replicas"]!.GetValue<int>());
        await Assert.ThrowsAsync<RunbookException>(() => _host.Run(new KubernetesScale(), options with { Replicas = 99 }));
    }

    [Fact]
    public async Task Scaled_to_nothing_is_a_deployment_only_when_the_pods_that_end_are_gone_too()
    {
        _server.Cluster.Make(KubeManifests.Deployment("web"));
        _server.Cluster.EndingLooks = 2;
        await _host.Run(new KubernetesScale(), new() { Target = "cluster", Workload = "deployment/web", Replicas = 0 });
        lock (_server.Cluster.Gate)
            Assert.Empty(_server.Cluster.List(KubeResource.All[1], KubeServer.Namespace, ""));
    }

    [Fact]
    public async Task A_deadline_that_an_older_generation_missed_does_not_end_the_wait_for_the_new_one()
    {
        var looks = 0;
        _server.Cluster.Make(KubeManifests.Deployment("web"));
        _server.Cluster.Amend = status =>
        {
            if (++looks > 2)
                return;
            status["observedGeneration"] = 0;
            status["conditions"] = new JsonArray(new JsonObject { ["type"] = "Progressing", ["status"] = "False", ["reason"] = "ProgressDeadlineExceeded" });
        };
        Assert.Equal(1, (await _host.Run(new KubernetesRollout(), Wait("deployment/web"))).Ready["deployment/web"]);
    }

    [Fact]
    public async Task Another_round_of_the_same_run_restarts_again()
    {
        _server.Cluster.Make(KubeManifests.Deployment("web"));
        var options = Wait("deployment/web") with { Restart = true };
        await _host.Run(new KubernetesRollout(), options);
        // Going back begins a round without what the one before saved.
        _host.SavedValues.Clear();
        await _host.Run(new KubernetesRollout(), options);
        Assert.Equal(3, _server.Cluster["Deployment", "web"]!["metadata"]!["generation"]!.GetValue<int>());
    }

    [Fact]
    public async Task An_evicted_pod_that_lies_about_does_not_keep_a_workload_from_being_scaled_to_nothing_or_stopped()
    {
        _server.Cluster.Make(KubeManifests.StatefulSet("db"));
        _server.Cluster.Evicted.Add("db-0");
        await _host.Run(new KubernetesScale(), new() { Target = "cluster", Workload = "statefulset/db", Replicas = 0, Limit = new(Hang.Limit) });
        var service = _host.Add("db", new ServiceTarget { Runtime = new() { Kubernetes = "cluster", Workload = "statefulset/db" } }).Service;
        Assert.Equal(RuntimeStatus.Stopped, (await service.State(_host.PlanContext())).Status);
        Assert.Null((await service.Stop(_host.Context(), Hang.Limit)).ExitCode);
    }
}
