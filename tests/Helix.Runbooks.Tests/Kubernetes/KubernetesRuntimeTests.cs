using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Runbooks.Tests.Kubernetes;

/// <summary>The steps target.* on a workload of a cluster.</summary>
public sealed class KubernetesRuntimeTests : IDisposable
{
    readonly KubeServer _server = new();
    readonly TestHost _host = new();

    public KubernetesRuntimeTests()
    {
        _host.Add("cluster", _server.Target);
        _host.Add("db", new ServiceTarget { Runtime = new() { Kubernetes = "cluster", Workload = "statefulset/db" } });
        _host.Add("web", new ServiceTarget { Runtime = new() { Kubernetes = "cluster", Workload = "deployment/web" } });
        _server.Cluster.Make(KubeManifests.Deployment("web", replicas: 3), KubeManifests.StatefulSet("db"));
    }

    public void Dispose()
    {
        _host.Dispose();
        _server.Dispose();
    }

    int Wanted(string kind, string name) => _server.Cluster[kind, name]!["spec"]!["replicas"]!.GetValue<int>();

    [Fact]
    public async Task A_stop_scales_to_nothing_and_a_start_brings_as_many_back()
    {
        var stop = new TargetStopOptions { Targets = ["web"] };
        var done = await _host.Run(new TargetStop(), stop);
        Assert.Equal(["web"], done.Stopped);
        Assert.Equal(0, Wanted("Deployment", "web"));
        Assert.Equal(ProbeVerdict.Done, (await _host.Probe(new TargetStop(), stop)).Verdict);
        Assert.Contains("kubectl --kubeconfig", Assert.Single(_host.Left).Command, StringComparison.Ordinal);
        Assert.Equal(["web"], (await _host.Run(new TargetStop(), stop)).StoppedBefore);
        await _host.Run(new TargetStart(), new() { Targets = ["web"] });
        Assert.Equal(3, Wanted("Deployment", "web"));
        Assert.Empty(_host.Left);
        Assert.Null(_server.Cluster["Deployment", "web"]!["metadata"]!["annotations"]?["helix-runbooks/replicas"]);
    }

    [Fact]
    public async Task Scaling_within_caps_waits_for_the_pods()
    {
        var done = await _host.Run(new TargetScale(), new() { Target = "web", Replicas = 5 });
        Assert.Equal((3, 5), (done.Before, done.Now));
        await _host.Run(new TargetScale(), new() { Target = "web", Replicas = 1 });
        Assert.Equal(1, Wanted("Deployment", "web"));
    }

    [Fact]
    public async Task Scaling_down_what_is_not_ready_remembers_how_many_were_wanted()
    {
        _server.Cluster.Make(KubeManifests.Deployment("web", "web:crash", replicas: 3));
        var done = await _host.Run(new TargetScale(), new() { Target = "web", Replicas = 0, Minimum = 0 });
        Assert.Equal((3, 0), (done.Before, done.Now));
        var left = Assert.Single(_host.Left);
        Assert.Equal("web is scaled down from 3 to 0", left.What);
        Assert.EndsWith(" scale deployment/web --replicas=3", left.Command, StringComparison.Ordinal);
        Assert.Equal(3, left.Undo!.With["replicas"]!.GetValue<int>());
    }

    [Fact]
    public async Task A_start_that_does_not_become_ready_says_why()
    {
        _server.Cluster.Make(KubeManifests.Deployment("web", "web:crash", replicas: 0));
        var failure = await _host.Fails(FailureClass.TimedOut, new TargetStart(), new() { Targets = ["web"], Limit = new(TimeSpan.FromSeconds(1)) });
        Assert.Contains("CrashLoopBackOff", failure.Message, StringComparison.Ordinal);
        Assert.Contains("last words of web-", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_are_copied_out_of_and_into_a_stopped_workload_through_a_pod_on_its_claim()
    {
        KubePods.Need();
        await _host.Run(new TargetStop(), new() { Targets = ["db"] });
        var from = _host.Write("dump.rdb", [1, 2, 3]);
        await _host.Run(new TargetCopy(), new() { Target = "db", Inside = "/data/dump.rdb", From = from });
        Assert.Equal([1, 2, 3], await File.ReadAllBytesAsync(Path.Combine(_server.Cluster.Pods.ClaimOf("data-db-0"), "dump.rdb"), TestContext.Current.CancellationToken));
        var copy = new TargetCopyOptions { Target = "db", Inside = "/data/dump.rdb", To = Path.Combine(_host.Work, "back.rdb") };
        Assert.Equal(3, (await _host.Run(new TargetCopy(), copy)).Size);
        Assert.Equal(ProbeVerdict.Done, (await _host.Probe(new TargetCopy(), copy)).Verdict);
        var text = new Dictionary<string, DeclaredOutput> { ["text"] = new() };
        var done = await _host.Run(new TargetExec(), new() { Target = "db", Argv = ["wc", "-c", "/data/dump.rdb"], OneOff = true, Outputs = text });
        Assert.Equal("3 /data/dump.rdb", done.Values["text"]!.ToString());
        await _host.Fails(FailureClass.Conflict, new TargetExec(), new() { Target = "db", Argv = ["true"] });
        Assert.Equal(0, Wanted("StatefulSet", "db"));
    }

    [Fact]
    public async Task The_place_of_a_service_is_its_cluster_namespace_and_workload()
    {
        var target = _host.PlanContext().Target<ServiceTarget>("db");
        Assert.Equal($"{KubeCluster.Uid}/helix/statefulset/db", await target.ReadPlace(_host.PlanContext()));
        Assert.EndsWith(":dr/helix/statefulset/db", target.Address, StringComparison.Ordinal);
    }

    void Replicas(int count, int index)
    {
        _host.Add("replica", new ServiceTarget { Runtime = new() { Kubernetes = "cluster", Workload = "statefulset/db", Index = index } });
        _server.Cluster.Make(KubeManifests.StatefulSet("db", replicas: count));
    }

    [Fact]
    public async Task The_index_of_a_stateful_set_names_its_pod_also_when_another_one_does_not_run_or_sorts_before()
    {
        KubePods.Need();
        Replicas(11, index: 3);
        _server.Cluster.Homeless.Add("db-0");
        await _host.Run(new TargetExec(), new() { Target = "replica", Argv = ["true"] });
        Assert.EndsWith("/pods/db-2/exec", Assert.Single(_server.Requests, r => r.Path.EndsWith("/exec", StringComparison.Ordinal)).Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replica_that_does_not_run_is_named_and_no_other_one_is_taken_for_it()
    {
        _server.Cluster.Homeless.Add("db-0");
        Replicas(2, index: 1);
        var failure = await _host.Fails(FailureClass.Conflict, new TargetExec(), new() { Target = "replica", Argv = ["true"] });
        Assert.StartsWith("The pod db-0 of statefulset/db does not run", failure.Message, StringComparison.Ordinal);
        failure = await _host.Fails(FailureClass.Conflict, new TargetCopy(), new() { Target = "replica", Inside = "/data/dump.rdb", From = _host.Write("dump.rdb", [1]) });
        Assert.StartsWith("The pod db-0 of statefulset/db does not run", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_a_stateful_set_is_stopped_the_data_of_the_replica_with_the_index_is_written_and_not_that_of_the_first()
    {
        KubePods.Need();
        Replicas(2, index: 2);
        await _host.Run(new TargetStop(), new() { Targets = ["replica"] });
        await _host.Run(new TargetCopy(), new() { Target = "replica", Inside = "/data/dump.rdb", From = _host.Write("dump.rdb", [1, 2, 3]) });
        Assert.Equal([1, 2, 3], await File.ReadAllBytesAsync(Path.Combine(_server.Cluster.Pods.ClaimOf("data-db-1"), "dump.rdb"), TestContext.Current.CancellationToken));
        Assert.False(File.Exists(Path.Combine(_server.Cluster.Pods.ClaimOf("data-db-0"), "dump.rdb")));
    }

    [Fact]
    public async Task A_scratch_pod_that_an_attempt_left_is_recorded_and_gone_before_the_next_attempt_makes_one()
    {
        KubePods.Need();
        await _host.Run(new TargetStop(), new() { Targets = ["db"] });
        var options = new TargetExecOptions { Target = "db", Argv = ["true"], OneOff = true };
        // As after a crash of the host: nobody ends the pod.
        _server.Fault = r => r.Method == "DELETE" ? KubeFault.Unavailable : KubeFault.None;
        await _host.Run(new TargetExec(), options);
        _server.Fault = _ => KubeFault.None;
        var left = Assert.Single(_host.Left, r => r.Key.StartsWith("scratch:", StringComparison.Ordinal));
        var pod = left.Key["scratch:".Length..];
        Assert.EndsWith($" delete pod {pod}", left.Command, StringComparison.Ordinal);
        Assert.NotNull(_server.Cluster["Pod", pod]);

        var thereAtLeave = true;
        _host.OnLeave = _ => thereAtLeave = _server.Cluster["Pod", pod] is not null;
        await _host.Run(new TargetExec(), options, attempt: 2);

        Assert.False(thereAtLeave);
        Assert.Null(_server.Cluster["Pod", pod]);
        Assert.DoesNotContain(_host.Left, r => r.Key.StartsWith("scratch:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nobody_guesses_which_replica_of_a_stopped_stateful_set_is_meant()
    {
        _host.Add("whichever", new ServiceTarget { Runtime = new() { Kubernetes = "cluster", Workload = "statefulset/db" } });
        _server.Cluster.Make(KubeManifests.StatefulSet("db", replicas: 3));
        await _host.Run(new TargetStop(), new() { Targets = ["whichever"] });
        var failure = await _host.Fails(FailureClass.Conflict, new TargetCopy(), new() { Target = "whichever", Inside = "/data/dump.rdb", From = _host.Write("dump.rdb", [1]) });
        Assert.StartsWith("statefulset/db has 3 replicas, each with data of its own.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_one_off_process_beside_a_replica_that_runs_is_no_reason_to_refuse()
    {
        KubePods.Need();
        Replicas(2, index: 1);
        await _host.Run(new TargetExec(), new() { Target = "replica", Argv = ["true"], OneOff = true });
    }
}
