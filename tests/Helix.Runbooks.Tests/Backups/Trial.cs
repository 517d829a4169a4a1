using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Backups;

/// <summary>A run's surroundings for one step: a fresh folder, targets, and a host that remembers what the step saved and said.</summary>
sealed class Trial : StepHost, IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("helix-").FullName;
    public EnvironmentTargets Targets { get; } = new();
    public List<string> Lines { get; } = [];
    public Dictionary<string, JsonNode> Memory { get; } = [];
    public Dictionary<string, Residue> Left { get; } = [];
    public Dictionary<string, string> Secrets { get; } = [];
    public Action<double>? OnProgress { get; set; }
    public TimeProvider Clock { get; init; } = TimeProvider.System;
    public string Comms { get; set; } = "on";
    public CancellationTokenSource Cancel { get; } = new();

    public Trial(params IEnumerable<Target> targets)
    {
        foreach (var target in targets)
            Targets.Add(target);
        Directory.CreateDirectory(Work);
    }

    public string Work => Path.Combine(Folder, "work");

    public string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(Work, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public StepContext Context(string path = "step", int attempt = 1) => new(
        new RunFacts
        {
            Id = "run1", Mode = "live", Runbook = "test", Environment = "test", Operator = "tester", StartedAt = Time.GetUtcNow(),
            Work = Work, Safe = Path.Combine(Folder, "safe"), BaseDirectory = Folder, Comms = Comms,
        },
        Targets, this, path, attempt, Cancel.Token);

    public async Task<TOutputs> Run<TOptions, TOutputs>(Step<TOptions, TOutputs> step, TOptions options, string path = "step")
        where TOptions : class where TOutputs : class => await step.Run(options, Context(path));

    public override TimeProvider Time => Clock;
    public override Task<string> Reveal(Secret secret, CancellationToken cancelled) =>
        Secrets.TryGetValue(secret.References[0], out var value) ? Task.FromResult(value) : throw StepFailedException.Missing($"There is no secret {secret.References[0]}.");
    public override Tool Tool(string file, CancellationToken cancelled) => throw new InvalidOperationException($"No test of this folder starts {file}.");
    public override HttpClient Http(HttpSettings settings) => new(new SocketsHttpHandler { ConnectTimeout = settings.ConnectTimeout, AllowAutoRedirect = settings.FollowRedirects }) { Timeout = settings.Timeout };
    public override void Log(string line) => Lines.Add(line);
    public override void Progress(double done, double? total, string unit) => OnProgress?.Invoke(done);
    public override Task Save(string key, JsonNode value)
    {
        Memory[key] = value.DeepClone();
        return Task.CompletedTask;
    }
    public override JsonNode? Saved(string key) => Memory.GetValueOrDefault(key)?.DeepClone();
    public override Task Leave(Residue residue)
    {
        Left[residue.Key] = residue;
        return Task.CompletedTask;
    }
    public override Task TakeBack(string key)
    {
        Left.Remove(key);
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        Cancel.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
