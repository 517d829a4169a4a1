using System.Text.Json.Nodes;
using Helix.Runbooks.Tests.Cli;
using Helix.Runbooks.Tests.House;
using Helix.Runbooks.Tests.Http;
using Helix.Steps.Kubernetes;

namespace Helix.Runbooks.Tests.Kubernetes;

/// <summary>The shipped runbook and manifests through the real executable and the real kubectl, against the stub of the API; the dashboard behind the ingress is a real HTTP server.</summary>
public sealed class BlueGreenRunTests : IDisposable
{
    const int Killed = 137, Waits = 4, Failed = 1;

    readonly string _folder = Directory.CreateTempSubdirectory("helix-bluegreen-").FullName;
    readonly KubeServer _server = new();
    readonly TestHost _host = new();
    readonly HttpStub _dashboard;

    /// <summary>What a half answers once traffic is led to it.</summary>
    string _illUnderTraffic = "";

    public BlueGreenRunTests() => _dashboard = new(Answer);

    public void Dispose()
    {
        _dashboard.Dispose();
        _host.Dispose();
        _server.Dispose();
        TempFolder.Delete(_folder);
    }

    [Fact]
    public async Task Green_takes_over_although_the_driver_is_killed_right_after_the_switch()
    {
        await DeployBlue();
        var run = await RunToTheGate();
        Assert.Equal("dashboard-blue", Backend);
        Assert.Equal(0, (await Helix(null, "approve", run, "go")).Code);
        Assert.Equal(Killed, (await Helix("point:effect:switch:1", "resume", run)).Code);
        Assert.Equal("dashboard-green", Backend);
        Assert.NotNull(_server.Cluster["Deployment", "dashboard-blue"]);

        var (code, output, error) = await Helix(null, "resume", run);

        Assert.True(code == 0, output + error);
        Assert.Equal("dashboard-green", Backend);
        Assert.Null(_server.Cluster["Deployment", "dashboard-blue"]);
        Assert.Null(_server.Cluster["Service", "dashboard-blue"]);
        // The second time round it was green already; what there was before the first is kept.
        Assert.Contains("leads to dashboard-green; before it led to dashboard-blue.", (await Helix(null, "logs", run)).Out, StringComparison.Ordinal);
        Assert.Contains("kind: Deployment", File.ReadAllText(Directory.GetFiles(_folder, "dashboard-blue.yaml", SearchOption.AllDirectories).Single(f => f.Contains("/safe/", StringComparison.Ordinal))), StringComparison.Ordinal);
        Assert.Equal(0, (await Helix(null, "verify-record", run)).Code);
    }

    [Fact]
    public async Task Traffic_goes_back_to_blue_when_green_does_not_prove_itself_and_blue_is_still_there()
    {
        _illUnderTraffic = "dashboard-green";
        await DeployBlue();
        var run = await RunToTheGate(Hasty());
        Assert.Equal(0, (await Helix(null, "approve", run, "go")).Code);

        var (code, output, error) = await Helix(null, "resume", run, "--unattended");

        Assert.True(code == Failed, output + error);
        Assert.Contains("verify", output, StringComparison.Ordinal);
        Assert.Equal("dashboard-blue", Backend);
        Assert.NotNull(_server.Cluster["Deployment", "dashboard-blue"]);
    }

    string Backend => _server.Cluster["Ingress", "helix-ingress"]!["spec"]!["rules"]![0]!["http"]!["paths"]![0]!["backend"]!["service"]!["name"]!.ToString();

    /// <summary>As the ingress would lead it: by name to a half, or to the one that serves.</summary>
    StubAnswer Answer(StubRequest request)
    {
        var live = request.Path.StartsWith("/live", StringComparison.Ordinal);
        var service = live ? Backend : request.Path.StartsWith("/green", StringComparison.Ordinal) ? "dashboard-green" : "dashboard-blue";
        var ready = _server.Cluster["Deployment", service]?["status"]?["readyReplicas"]?.GetValue<int>() ?? 0;
        return ready == 0 || (live && service == _illUnderTraffic) ? new(503, "ill") : new(200, """{"status":"ok"}""");
    }

    async Task DeployBlue()
    {
        _host.Add("cluster", _server.Target);
        await _host.Run(new KubernetesApply(), new() { Target = "cluster", Files = [Manifest("dashboard-blue"), Manifest("helix-ingress")] });
        await File.WriteAllTextAsync(Path.Combine(_folder, "stub.yaml"), $$"""
            apiVersion: helix.runbooks/v1
            name: stub
            vars: { self_approval: true, dashboard_host: dashboard.example.com, settle: 1s, patience: 15m }
            targets:
              cluster: { kind: kubernetes, kubeconfig: "{{_server.Config}}", context: dr, namespace: helix, identity: { place: "{{KubeCluster.Uid}}/helix" } }
              dashboard: { kind: http, url: "{{_dashboard.Url}}live" }
              dashboard_blue: { kind: http, url: "{{_dashboard.Url}}blue" }
              dashboard_green: { kind: http, url: "{{_dashboard.Url}}green" }
            people:
              groups: { incident_commander: [{{System.Environment.UserName}}], dba: [{{System.Environment.UserName}}] }
            """);
    }

    /// <summary>The shipped runbook, but for the patience with a half that serves: there it is ill for good.</summary>
    string Hasty()
    {
        const string Verify = "name: It serves under traffic\n    uses: http.check\n    with: { target: dashboard, healthyFor: \"{{ vars.settle }}\", within: ";
        var (shipped, path) = (File.ReadAllText(Shipped), Path.Combine(_folder, Path.GetFileName(Shipped)));
        Assert.Contains(Verify, shipped, StringComparison.Ordinal);
        Directory.CreateSymbolicLink(Path.Combine(_folder, "kubernetes"), Path.Combine(Source.Root, "runbooks", "kubernetes"));
        File.WriteAllText(path, shipped.Replace(Verify + "\"{{ vars.patience }}\"", Verify + "2s", StringComparison.Ordinal));
        return path;
    }

    static readonly string Shipped = Path.Combine(Source.Root, "runbooks", "dashboard-blue-green.yaml");

    async Task<string> RunToTheGate(string? runbook = null)
    {
        var (code, output, error) = await Helix(null, "run", runbook ?? Shipped, "-e", Path.Combine(_folder, "stub.yaml"), "--unattended");
        Assert.True(code == Waits, output + error);
        return NewestRun.In(Path.Combine(_folder, "helix.db"));
    }

    async Task<(int Code, string Out, string Error)> Helix(string? failpoint, params string[] arguments)
    {
        using var process = new HelixProcess(Path.Combine(_folder, "helix.db"), arguments, ("HELIX_FAILPOINT", failpoint ?? ""));
        return await process.End();
    }

    static string Manifest(string name) => Path.Combine(Source.Root, "runbooks", "kubernetes", name + ".yaml");
}
