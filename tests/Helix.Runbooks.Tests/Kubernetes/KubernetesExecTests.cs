using Helix.Runbooks.Steps;
using Helix.Steps.Kubernetes;

namespace Helix.Runbooks.Tests.Kubernetes;

public sealed class KubernetesExecTests : IDisposable
{
    readonly KubeServer _server = new();
    readonly TestHost _host = new();

    public KubernetesExecTests()
    {
        KubePods.Need();
        _host.Add("cluster", _server.Target);
        _server.Cluster.Make(KubeManifests.Deployment("web"), KubeManifests.StatefulSet("db"));
    }

    public void Dispose()
    {
        _host.Dispose();
        _server.Dispose();
    }

    static KubernetesExecOptions Exec(params string[] argv) => new() { Target = "cluster", Workload = "deployment/web", Argv = argv };

    static readonly Dictionary<string, DeclaredOutput> Text = new() { ["text"] = new() };

    [Fact]
    public async Task A_command_has_its_exit_code_its_variables_and_its_folder()
    {
        var secret = _host.Canary("TOKEN");
        var done = await _host.Run(new KubernetesExec(), Exec("sh", "-c", "echo \"$GREETING $NAME ${#TOKEN} $(pwd)\"; exit 3") with
        {
            ExitCodes = [3],
            Outputs = Text,
            WorkingDirectory = "/tmp",
            Env = new Dictionary<string, string> { ["NAME"] = "a b" },
            Secrets = new Dictionary<string, Secret> { ["TOKEN"] = secret },
        });
        Assert.Equal($"hello a b {_host.ValueOf(secret).Length} /tmp", done.Values["text"]!.ToString());
        Assert.DoesNotContain(_server.Requests, r => r.Query.Contains("a%20b", StringComparison.Ordinal) || r.Query.Contains("canary", StringComparison.Ordinal));
        _host.AssertNoCanary(done);
    }

    [Fact]
    public async Task Exit_code_1_of_a_command_is_told_from_a_failure_of_kubectl()
    {
        var own = await _host.Fails(FailureClass.Transient, new KubernetesExec(), Exec("sh", "-c", "echo no luck >&2; exit 1"));
        Assert.Matches("^sh in helix/web-.* ended with exit code 1: no luck$", own.Message);
        Assert.Equal(FailureClass.Missing, (await _host.Fails(FailureClass.Missing, new KubernetesExec(), Exec("no-such-command"))).Failure);
        await _host.Run(new KubernetesExec(), Exec("false") with { ExitCodes = [0, 1] });
        _server.Fault = r => r.Path.EndsWith("/exec", StringComparison.Ordinal) ? KubeFault.Unavailable : KubeFault.None;
        await _host.Fails(FailureClass.Transient, new KubernetesExec(), Exec("false") with { ExitCodes = [0, 1] });
    }

    [Fact]
    public async Task A_command_may_take_longer_than_an_answer_of_the_cluster()
    {
        _host.Add("hasty", _server.Target with { RequestTimeout = new(TimeSpan.FromSeconds(6)) });
        var done = await _host.Run(new KubernetesExec(), Exec("sh", "-c", "cat; sleep 8; echo late") with { Target = "hasty", Stdin = _host.Write("in.txt", "early "u8.ToArray()), Outputs = Text });
        Assert.Equal("early late", done.Values["text"]!.ToString());
    }

    [Fact]
    public async Task Bytes_stay_bytes_in_both_directions()
    {
        byte[] bytes = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 7))];
        var from = _host.Write("in.bin", bytes);
        var to = Path.Combine(_host.Work, "out.bin");
        await _host.Run(new KubernetesExec(), Exec("cat") with { Stdin = from, Stdout = to });
        Assert.Equal(bytes, await File.ReadAllBytesAsync(to, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_one_off_pod_has_the_claims_of_the_workload_and_is_gone_afterwards_whatever_happened()
    {
        var db = Exec("sh", "-c", "echo kept >/data/note") with { Workload = "statefulset/db" };
        await _host.Run(new KubernetesExec(), db);
        await _host.Run(new KubernetesScale(), new() { Target = "cluster", Workload = "statefulset/db", Replicas = 0 });
        var done = await _host.Run(new KubernetesExec(), db with { Argv = ["cat", "/data/note"], OneOff = true, Outputs = Text });
        Assert.Equal("kept", done.Values["text"]!.ToString());
        await _host.Fails(FailureClass.Transient, new KubernetesExec(), db with { Argv = ["false"], OneOff = true });
        Assert.Equal("kept\n", await File.ReadAllTextAsync(Path.Combine(_server.Cluster.Pods.ClaimOf("data-db-0"), "note"), TestContext.Current.CancellationToken));
        Assert.DoesNotContain(Pods(), p => p.StartsWith("helix-once-", StringComparison.Ordinal));
        var scratch = _server.Requests.First(r => r.Method == "POST").Body;
        Assert.DoesNotContain("\"app\":\"db\"", scratch, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_one_off_pod_is_removed()
    {
        var running = _host.Run(new KubernetesExec(), Exec("sleep", "600") with { Workload = "statefulset/db", OneOff = true });
        await Eventually.True(() => _server.Requests.Any(r => r.Path.EndsWith("/exec", StringComparison.Ordinal)), "the command runs");
        _host.Cancel();
        Assert.Equal(FailureClass.Cancelled, (await Assert.ThrowsAsync<StepFailedException>(() => running)).Failure);
        Assert.DoesNotContain(Pods(), p => p.StartsWith("helix-once-", StringComparison.Ordinal));
    }

    List<string> Pods()
    {
        lock (_server.Cluster.Gate)
            return [.. _server.Cluster.List(KubeResource.All[1], KubeServer.Namespace, "").Select(p => p["metadata"]!["name"]!.ToString())];
    }
}
