using System.Text.Json.Nodes;

namespace Helix.Runbooks.Steps;

/// <summary>Facts of the run that a step may use. Folders are absolute.</summary>
public sealed record RunFacts
{
    public required string Id { get; init; }
    public required string Mode { get; init; }
    public required string Runbook { get; init; }
    public required string Environment { get; init; }
    public required string Operator { get; init; }
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Scratch space of the run; a runbook may remove it.</summary>
    public required string Work { get; init; }

    /// <summary>Space for safety copies; never emptied by the run itself.</summary>
    public required string Safe { get; init; }

    /// <summary>Communication to the outside: off, test (marked as a test) or on.</summary>
    public string Comms { get; init; } = "on";

    /// <summary>Full path of a pinned file → its copy as it was when the run started (PM-02).</summary>
    public IReadOnlyDictionary<string, string> Pinned { get; init; } = new Dictionary<string, string>();

    /// <summary>Relative paths in runbook and environment start here.</summary>
    public required string BaseDirectory { get; init; }
}

/// <summary>What the engine gives to a step for reading only: planning, pre-flight, identity. It starts nothing that changes the world.</summary>
public class PlanContext(RunFacts run, EnvironmentTargets targets, StepHost host, CancellationToken cancelled)
{
    public RunFacts Run { get; } = run;
    public CancellationToken Cancelled { get; } = cancelled;
    public TimeProvider Time => Host.Time;
    protected StepHost Host { get; } = host;
    protected EnvironmentTargets Targets { get; } = targets;

    /// <summary>A target by name, of a kind.</summary>
    public T Target<T>(string name) where T : class => Targets.Get<T>(name);

    /// <summary>A target that a record names, if this environment has it and it is of a kind.</summary>
    public T? KnownTarget<T>(string? name) where T : class => name is null ? null : Targets.All.GetValueOrDefault(name) as T;

    /// <summary>The value behind a reference. It is masked on every sink from now on; keep it no longer than the line that sends it.</summary>
    public Task<string> Reveal(Secret secret) => Host.Reveal(secret, Cancelled);

    /// <summary>A secret that came from elsewhere than a reference: a token, a new password. It is masked on every sink from now on.</summary>
    public void Hide(string value) => Host.Hide(value);

    /// <summary>A process call with an argument list; nothing runs before one of its verbs.</summary>
    public Tool Tool(string file, params IEnumerable<string> arguments) => Host.Tool(file, Cancelled) with { Arguments = [.. arguments] };

    /// <summary>A client with sane timeouts whose traffic ends when the step is cancelled. Dispose it.</summary>
    public HttpClient Http(HttpSettings? settings = null) => Host.Http(settings ?? new());

    /// <summary>A path from an option: relative ones start at the folder of the runbook.</summary>
    public string FullPath(string path) => Path.GetFullPath(path, Run.BaseDirectory);

    /// <summary>Where to read a file that an option marked <see cref="PinnedFileAttribute"/> names.</summary>
    public string PinnedPath(string path) => Run.Pinned.GetValueOrDefault(FullPath(path)) ?? FullPath(path);

    /// <summary>Waits on the run's clock.</summary>
    public async Task Delay(TimeSpan time)
    {
        await Task.Delay(time, Time, Cancelled);
        Host.CheckLease();
    }
}

/// <summary>What the engine gives to a running step.</summary>
public sealed class StepContext(RunFacts run, EnvironmentTargets targets, StepHost host, string path, int attempt, CancellationToken cancelled)
    : PlanContext(run, targets, host, cancelled)
{
    /// <summary>The path of the step in the run, as <c>each[3]/copy</c>.</summary>
    public string Path { get; } = path;

    /// <summary>From 1.</summary>
    public int Attempt { get; } = attempt;

    /// <summary>The same context with another end: for what must be put back although the step is being cancelled. Keep the limit short.</summary>
    public StepContext Until(CancellationToken limit) => new(Run, Targets, Host, Path, Attempt, limit);

    /// <summary>One line for the people who watch and for the record. Masked.</summary>
    public void Log(string line) => Host.Log(line);

    /// <summary>Waits until somebody hands a secret to this driver. The record says who was asked and who gave it, never what.</summary>
    /// <exception cref="StepFailedException">Transient: nobody gave it in time.</exception>
    public Task<GivenSecret> AskSecret(SecretRequest request) => Host.AskSecret(request, Cancelled);

    /// <summary>Says that the step is alive and how far it is; feeds the no-progress limit and the ETA.</summary>
    /// <param name="unit">What is counted: "bytes", "keys" …</param>
    public void Progress(double done, double? total = null, string unit = "bytes") => Host.Progress(done, total, unit);

    /// <summary>Keeps a value durably for a resume of this step: upload id, finished part, offset.</summary>
    public Task Save(string key, JsonNode value) => Host.Save(key, value);

    /// <summary>What an earlier, interrupted attempt of this step saved under the key; null if nothing.</summary>
    public JsonNode? Saved(string key) => Host.Saved(key);

    /// <summary>A text for this round, the same at every try of it: a message id, a mark on what was done. Another round gets another.</summary>
    public async Task<string> OncePerRound(string key, Func<string, string> make)
    {
        if (Saved(key)?.GetValue<string>() is { } kept)
            return kept;
        var made = make(Guid.NewGuid().ToString("N")[..12]);
        await Save(key, made);
        return made;
    }

    /// <summary>Records durably, before it happens, that something will be left changed until it is taken back.</summary>
    public Task Leave(Residue residue) => Host.Leave(residue);

    /// <summary>What <see cref="Leave"/> recorded under this key, by any step of the run, is taken back.</summary>
    public Task TakeBack(string key) => Host.TakeBack(key);
}

public enum ResidueKind { Stopped, SafetyCopy, TemporaryFiles, OpenUpload, ScaledDown, Paused, Other }

/// <summary>Something that a run leaves changed: what it is and the one command that ends it.</summary>
public sealed record Residue
{
    /// <summary>Unique in the run, as <c>stopped:redis</c>.</summary>
    public required string Key { get; init; }
    public required ResidueKind Kind { get; init; }
    public string? Target { get; init; }

    /// <summary>In words: "redis is stopped".</summary>
    public required string What { get; init; }

    /// <summary>The shell command that takes it back.</summary>
    public required string Command { get; init; }

    /// <summary>A step that takes it back; the engine runs it when a run ends without success and the target's data is not half loaded.</summary>
    public ResidueUndo? Undo { get; init; }
}

public sealed record ResidueUndo(string Uses, JsonObject With);

/// <summary>The engine's side of a context. The runner, the planner, the simulation and the tests each have one.</summary>
public abstract class StepHost
{
    public abstract TimeProvider Time { get; }

    /// <summary>Throws when this driver may not act any more. Looked at after every pause, before every process and before every HTTP request.</summary>
    public virtual void CheckLease()
    {
    }
    public abstract Task<string> Reveal(Secret secret, CancellationToken cancelled);

    /// <summary>From now on the value is masked on every sink.</summary>
    public abstract void Hide(string value);
    public abstract Tool Tool(string file, CancellationToken cancelled);
    public abstract HttpClient Http(HttpSettings settings);
    public abstract void Log(string line);
    public abstract void Progress(double done, double? total, string unit);
    public virtual Task<GivenSecret> AskSecret(SecretRequest request, CancellationToken cancelled) => throw new RunbookException($"Nobody can be asked for '{request.Name}' here.");
    public abstract Task Save(string key, JsonNode value);
    public abstract JsonNode? Saved(string key);
    public abstract Task Leave(Residue residue);
    public abstract Task TakeBack(string key);
}
