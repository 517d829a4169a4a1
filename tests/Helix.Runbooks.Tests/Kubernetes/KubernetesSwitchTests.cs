using Helix.Runbooks.Steps;
using Helix.Steps.Kubernetes;

namespace Helix.Runbooks.Tests.Kubernetes;

public sealed class KubernetesSwitchTests : IDisposable
{
    readonly KubeServer _server = new();
    readonly TestHost _host = new();

    public KubernetesSwitchTests()
    {
        _host.Add("cluster", _server.Target);
        _server.Cluster.Make(KubeManifests.Deployment("blue"), KubeManifests.Deployment("green"), KubeManifests.Service("blue", """{ "app": "blue" }"""), KubeManifests.Service("green", """{ "app": "green" }"""), KubeManifests.Ingress("blue"));
    }

    public void Dispose()
    {
        _host.Dispose();
        _server.Dispose();
    }

    static readonly KubernetesSwitchOptions ToGreen = new() { Target = "cluster", Ingress = "helix-ingress", Host = "dashboard.example.com", Service = "green" };

    string Backend(int rule) => _server.Cluster["Ingress", "helix-ingress"]!["spec"]!["rules"]![rule]!["http"]!["paths"]![0]!["backend"]!["service"]!["name"]!.ToString();

    [Fact]
    public async Task K8S_06_an_ingress_is_switched_in_its_v1_form_tried_before_and_read_back()
    {
        var done = await _host.Run(new KubernetesSwitch(), ToGreen);
        Assert.Equal(("blue", "green"), (done.Before, done.Now));
        Assert.Equal(("api", "green"), (Backend(0), Backend(1)));
        Assert.Contains("helix-ingress", done.WayBack, StringComparison.Ordinal);
        var patches = _server.Requests.Where(r => r.Method == "PATCH").ToList();
        Assert.Equal(2, patches.Count);
        Assert.Contains("dryRun=All", patches[0].Query, StringComparison.Ordinal);
        Assert.All(patches, p => Assert.Contains("/backend/service/name", p.Body, StringComparison.Ordinal));
        Assert.DoesNotContain(patches, p => p.Body.Contains("serviceName", StringComparison.Ordinal));
        Assert.Equal("GET", _server.Requests.Last().Method);
    }

    [Fact]
    public async Task A_switch_that_is_run_again_still_knows_the_way_back()
    {
        await _host.Run(new KubernetesSwitch(), ToGreen);
        Assert.Equal("blue", (await _host.Run(new KubernetesSwitch(), ToGreen)).Before);
        await _host.Run(new KubernetesSwitch(), ToGreen with { Service = "blue" });
        Assert.Equal("blue", Backend(1));
    }

    [Fact]
    public async Task K8S_06_the_server_refuses_the_old_field_that_the_guide_still_has()
    {
        var target = _host.PlanContext().Target<KubernetesTarget>("cluster");
        const string old = """{"spec":{"rules":[{"host":"dashboard.example.com","http":{"paths":[{"backend":{"serviceName":"green"}}]}}]}}""";
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => new Kubectl(target, _host.PlanContext()).Ask("patch", "ingress/helix-ingress", "--type=merge", "-p", old));
        Assert.Equal(FailureClass.InvalidData, failure.Failure);
        Assert.Contains("unknown field", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_is_led_to_a_service_without_a_ready_pod()
    {
        _server.Cluster.Make(KubeManifests.Deployment("green", "web:crash"));
        var failure = await _host.Fails(FailureClass.Conflict, new KubernetesSwitch(), ToGreen);
        Assert.Contains("it has no ready pod", failure.Message, StringComparison.Ordinal);
        Assert.Equal("blue", Backend(1));
        await _host.Run(new KubernetesSwitch(), ToGreen with { EvenIfNotReady = true });
        Assert.Equal("green", Backend(1));
    }

    [Fact]
    public async Task A_service_is_led_to_other_pods_by_its_selector()
    {
        _server.Cluster.Make(KubeManifests.Service("dashboard", """{ "app": "blue" }"""));
        var options = new KubernetesSwitchOptions { Target = "cluster", Service = "dashboard", Selector = new Dictionary<string, string> { ["app"] = "green" } };
        var done = await _host.Run(new KubernetesSwitch(), options);
        Assert.Equal("blue", done.SelectorBefore["app"]);
        Assert.Equal("green", _server.Cluster["Service", "dashboard"]!["spec"]!["selector"]!["app"]!.ToString());
    }

    [Fact]
    public async Task K8S_08_a_secret_has_one_key_per_field_with_its_exact_bytes_and_goes_by_standard_input()
    {
        var (user, password) = (_host.Canary("DB_USER", "neo4j-operator"), _host.Canary("DB_PASSWORD"));
        var options = new KubernetesSecretOptions { Target = "cluster", Name = "helix-secrets", Fields = new Dictionary<string, Secret> { ["user"] = user, ["password"] = password } };
        Assert.True((await _host.Run(new KubernetesSecret(), options)).Changed);
        var data = _server.Cluster["Secret", "helix-secrets"]!["data"]!.AsObject();
        Assert.Equal(["password", "user"], data.Select(d => d.Key).Order());
        Assert.Equal(_host.ValueOf(password), System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(data["password"]!.ToString())));
        Assert.False((await _host.Run(new KubernetesSecret(), options)).Changed);
        // The launcher refuses arguments with a secret in them, and the log holds none in any form.
        _host.AssertNoCanary();
        Assert.DoesNotContain(_server.Requests, r => r.Query.Contains("password", StringComparison.Ordinal));
    }

    static async Task Shell(string command)
    {
        using var shell = System.Diagnostics.Process.Start("sh", ["-c", command]);
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, shell.ExitCode);
    }

    [Fact]
    public async Task The_way_back_takes_a_label_out_of_the_selector_that_was_not_there_before()
    {
        _server.Cluster.Make(KubeManifests.Service("dashboard", """{ "app": "blue" }"""));
        var options = new KubernetesSwitchOptions { Target = "cluster", Service = "dashboard", Selector = new Dictionary<string, string> { ["app"] = "green", ["track"] = "new" }, EvenIfNotReady = true };
        var done = await _host.Run(new KubernetesSwitch(), options);
        Assert.Equal("new", _server.Cluster["Service", "dashboard"]!["spec"]!["selector"]!["track"]!.ToString());
        await Shell(done.WayBack);
        Assert.Equal("""{"app":"blue"}""", _server.Cluster["Service", "dashboard"]!["spec"]!["selector"]!.ToJsonString());
    }

    [Fact]
    public async Task The_way_back_leads_to_the_port_before_also_when_the_switch_is_run_again()
    {
        string Service() => _server.Cluster["Ingress", "helix-ingress"]!["spec"]!["rules"]![1]!["http"]!["paths"]![0]!["backend"]!["service"]!.ToJsonString();
        var before = Service();
        await _host.Run(new KubernetesSwitch(), ToGreen with { Port = "8080" });
        Assert.Contains("8080", Service(), StringComparison.Ordinal);
        await Shell((await _host.Run(new KubernetesSwitch(), ToGreen with { Port = "8080" })).WayBack);
        Assert.Equal(before, Service());
    }
}
