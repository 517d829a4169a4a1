using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Helix.Server.Tests.SignOns;

namespace Helix.Server.Tests.Triggers;

/// <summary>A real Prometheus Alertmanager on a free port, with one receiver: a hook of the server under test.</summary>
sealed class Alertmanager : IDisposable
{
    const string Program = "/usr/bin/prometheus-alertmanager";

    readonly string _folder = Directory.CreateTempSubdirectory("helix-alertmanager-").FullName;
    readonly HttpClient _client;
    readonly Process _process;

    Alertmanager(Uri hook, string token)
    {
        var port = Ports.Free();
        _client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        File.WriteAllText(Path.Combine(_folder, "token"), token);
        File.WriteAllText(Path.Combine(_folder, "alertmanager.yml"), $$"""
            route: { receiver: helix, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1s }
            receivers:
              - name: helix
                webhook_configs:
                  - url: {{hook}}
                    http_config: { authorization: { credentials_file: {{_folder}}/token } }
            """);
        _process = Process.Start(new ProcessStartInfo(Program, [$"--config.file={_folder}/alertmanager.yml", $"--storage.path={_folder}/data", $"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    public static async Task<Alertmanager> Start(Uri hook, string token)
    {
        if (!File.Exists(Program))
            Assert.Skip($"NO REAL ALERTMANAGER: there is no {Program}; install the package prometheus-alertmanager.");
        var started = new Alertmanager(hook, token);
        await Eventually.True(async () => (await started._client.GetAsync("/-/ready")).IsSuccessStatusCode, "Alertmanager is ready");
        return started;
    }

    /// <summary>As Prometheus sends it, which sends it again and again while it fires.</summary>
    public async Task Send(string name, bool over = false, params (string Name, string Value)[] labels)
    {
        var now = TimeProvider.System.GetUtcNow();
        var alert = new JsonObject
        {
            ["labels"] = new JsonObject(labels.Append((Name: "alertname", Value: name)).Select(l => KeyValuePair.Create(l.Name, (JsonNode?)l.Value))),
            ["annotations"] = new JsonObject { ["summary"] = $"{name} was seen" },
            ["startsAt"] = "2026-11-29T10:00:00Z",
            ["endsAt"] = (over ? now.AddSeconds(-1) : now.AddHours(1)).ToString("O"),
        };
        using var answer = await _client.PostAsJsonAsync("/api/v2/alerts", new JsonArray(alert));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _client.Dispose();
        TempFolder.Delete(_folder);
    }
}
