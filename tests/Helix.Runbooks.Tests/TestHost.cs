using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests;

/// <summary>The engine's side for the test of one step: real processes, real HTTP, secrets that must not turn up anywhere, a record of all that the step said.</summary>
sealed class TestHost : StepHost, IDisposable
{
    readonly ConcurrentQueue<string> _log = new();
    readonly ConcurrentDictionary<string, JsonNode> _saved = new();
    readonly ConcurrentDictionary<string, Residue> _residue = new();
    readonly ConcurrentDictionary<string, string> _variables = new();
    readonly EnvironmentTargets _targets = new();
    readonly CancellationTokenSource _cancel = new();
    readonly CancellationTokenSource _killNow = new();
    readonly SecretSources _secrets;
    ToolLauncher? _launcher;

    public TestHost()
    {
        Folder = Directory.CreateTempSubdirectory("helix-test-").FullName;
        Directory.CreateDirectory(Work);
        Directory.CreateDirectory(Safe);
        _secrets = new(Masker) { Variable = name => _variables.GetValueOrDefault(name) ?? System.Environment.GetEnvironmentVariable(name), BaseDirectory = Folder, Vault = ReadVault };
    }

    /// <summary>Fresh, removed at the end; relative paths of options start here.</summary>
    public string Folder { get; }
    public string Work => Path.Combine(Folder, "work");
    public string Safe => Path.Combine(Folder, "safe");
    public string PidFolder => Path.Combine(Folder, "pids");
    public Masker Masker { get; } = new();
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The clock of the graces of tools, which are real processes.</summary>
    public TimeProvider ToolTime { get; init; } = TimeProvider.System;
    public IReadOnlyList<string> Logged => [.. _log];

    /// <summary>What is left changed, in the order in which it was recorded.</summary>
    public IReadOnlyCollection<Residue> Left => [.. _residue.Values];

    /// <summary>Everything that was ever left, also when taken back.</summary>
    public ConcurrentQueue<Residue> EverLeft { get; } = new();
    public IDictionary<string, JsonNode> SavedValues => _saved;
    public (double Done, double? Total, string Unit)? LastProgress { get; private set; }

    /// <summary>Called when something is left, before the step goes on: to look whether the world is still unchanged, or to die there.</summary>
    public Action<Residue>? OnLeave { get; set; }

    /// <summary>Called at each <c>Save</c>: to crash a step between two of its parts.</summary>
    public Action<string, JsonNode>? OnSave { get; set; }

    /// <summary>Awaited once a value is saved: a task that never ends is a crash of the engine at that point.</summary>
    public Func<string, JsonNode, Task>? AfterSave { get; set; }

    /// <summary>Called at each <c>Progress</c>: to change the world while a step is at work.</summary>
    public Action<double>? OnProgress { get; set; }

    /// <summary>Communication to the outside: off, test or on.</summary>
    public string Comms { get; set; } = "on";

    /// <summary>Variables that every tool gets, as PATH.</summary>
    public Dictionary<string, string?> ToolEnvironment { get; } = [];

    /// <summary>Starts real processes unless a test puts another one here.</summary>
    public ToolLauncher Launcher
    {
        get => _launcher ??= new ProcessLauncher(new()
        {
            Masker = Masker,
            Log = (stream, line) => _log.Enqueue($"{stream.ToString().ToLowerInvariant()}: {line}"),
            PidFolder = PidFolder,
            Step = "test/step",
            KillNow = _killNow.Token,
            Time = ToolTime,
        });
        set => _launcher = value;
    }

    public override TimeProvider Time => Clock;

    // ---- for tests ----

    /// <summary>A value that nobody may see, behind a reference; <see cref="AssertNoCanary"/> looks for it.</summary>
    public Secret Canary(string name, string? value = null)
    {
        _variables[name] = value ?? $"canary'{name}\"{Guid.NewGuid():N}$&";
        return new([$"env:{name}"]);
    }

    public string ValueOf(Secret secret) => _variables[secret.References[0]["env:".Length..]];

    public T Add<T>(string name, T target) where T : Target
    {
        var added = target with { Name = name, Siblings = _targets };
        _targets.Add(added);
        return (T)added;
    }

    /// <summary>The same as <see cref="Add"/>, for a target that has its name.</summary>
    public TestHost With(Target target)
    {
        Add(target.Name, target);
        return this;
    }

    /// <summary>A file below the work folder.</summary>
    public string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(Work, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public StepContext Context(string path = "step", int attempt = 1) => new(Facts(), _targets, this, path, attempt, _cancel.Token);

    public PlanContext PlanContext() => new(Facts(), _targets, this, _cancel.Token);

    public Task<TOutputs> Run<TOptions, TOutputs>(Step<TOptions, TOutputs> step, TOptions options, int attempt = 1)
        where TOptions : class where TOutputs : class => step.Run(options, Context(attempt: attempt));

    public Task<ProbeResult<TOutputs>> Probe<TOptions, TOutputs>(Step<TOptions, TOutputs> step, TOptions options)
        where TOptions : class where TOutputs : class => step.Probe(options, Context());

    public Task<StepPlan> Plan<TOptions, TOutputs>(Step<TOptions, TOutputs> step, TOptions options)
        where TOptions : class where TOutputs : class => step.Plan(options, PlanContext());

    /// <summary>The step fails with this class; gives the failure.</summary>
    public async Task<StepFailedException> Fails<TOptions, TOutputs>(FailureClass failure, Step<TOptions, TOutputs> step, TOptions options)
        where TOptions : class where TOutputs : class
    {
        var e = await Assert.ThrowsAsync<StepFailedException>(() => Run(step, options));
        Assert.Equal(failure, e.Failure);
        AssertClean(e.ToString());
        return e;
    }

    public void Cancel() => _cancel.Cancel();

    /// <summary>Cancels after a while, in real time, unless it is disposed before.</summary>
    public IDisposable Soon(TimeSpan time) => TimeProvider.System.CreateTimer(_ => Cancel(), null, time, Timeout.InfiniteTimeSpan);
    public void KillNow()
    {
        _killNow.Cancel();
        _cancel.Cancel();
    }

    /// <summary>No canary in anything that the step logged, saved, left or put out.</summary>
    public void AssertNoCanary(params IEnumerable<object?> more)
    {
        var all = _log.Concat(_saved.Select(s => $"{s.Key}={s.Value}")).Concat(EverLeft.Select(r => $"{r} {r.Undo?.With}"))
            .Concat(more.Select(m => m switch { null => "", string text => text, Exception e => e.ToString(), _ => StepJson.ToJson(m).ToJsonString() }));
        AssertClean(string.Join('\n', all));
    }

    void AssertClean(string text)
    {
        foreach (var (name, value) in _variables)
            foreach (var form in SecretForms.Of(value))
                Assert.False(text.Contains(form, StringComparison.Ordinal), $"The canary {name} is in: {text}");
    }

    RunFacts Facts() => new()
    {
        Id = "run-1",
        Mode = "live",
        Runbook = "test",
        Environment = "test",
        Operator = "tester",
        StartedAt = Clock.GetUtcNow(),
        Work = Work,
        Safe = Safe,
        BaseDirectory = Folder,
        Comms = Comms,
    };

    // ---- the engine's side ----

    public override Task<string> Reveal(Secret secret, CancellationToken cancelled) => _secrets.Reveal(secret, cancelled);
    /// <summary>Answers for the people who are asked for a secret.</summary>
    public Func<SecretRequest, GivenSecret>? Asked { get; set; }
    public override Task<GivenSecret> AskSecret(SecretRequest request, CancellationToken cancelled) => Asked is { } asked ? Task.FromResult(asked(request)) : base.AskSecret(request, cancelled);
    public override void Hide(string value) => Masker.Add(value);
    Task<string> ReadVault(string target, string path, string field, CancellationToken cancelled) => ((IHoldsSecrets)_targets.All[target]).ReadSecret(path, field, PlanContext());
    public override Tool Tool(string file, CancellationToken cancelled) => new(Launcher, file, cancelled) { Environment = ToolEnvironment };
    public override HttpClient Http(HttpSettings settings) => HttpClients.For(settings, cancelled: _cancel.Token);
    public override void Log(string line) => _log.Enqueue(Masker.Mask(line));
    public override void Progress(double done, double? total, string unit)
    {
        LastProgress = (done, total, unit);
        OnProgress?.Invoke(done);
    }

    public override async Task Save(string key, JsonNode value)
    {
        OnSave?.Invoke(key, value);
        _saved[key] = value.DeepClone();
        if (AfterSave is { } after)
            await after(key, value);
    }

    public override JsonNode? Saved(string key) => _saved.GetValueOrDefault(key)?.DeepClone();

    public override Task Leave(Residue residue)
    {
        _residue[residue.Key] = residue;
        EverLeft.Enqueue(residue);
        OnLeave?.Invoke(residue);
        return Task.CompletedTask;
    }

    public override Task TakeBack(string key)
    {
        _residue.TryRemove(key, out _);
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _cancel.Dispose();
        _killNow.Dispose();
        TempFolder.Delete(Folder);
    }
}
