using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Tests.Runs;

namespace Helix.Runbooks.Tests.Faults;

/// <summary>A store, a world and a runbook in a folder; drivers come and go, in this process and in others. Each <see cref="Open"/> is an engine that remembers nothing.</summary>
sealed class Scene : IDisposable
{
    public Scene(string body, string? parent = null)
    {
        // In memory where there is such a place: a killed process loses nothing that it gave to the kernel.
        Folder = Directory.CreateDirectory(Path.Combine(parent ?? (Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath()), $"helix-faults-{Guid.NewGuid():N}")).FullName;
        Book = Write("book.yaml", "apiVersion: helix.runbooks/v1\nname: book\ntitle: A test\n" + body.Replace("WORLD", World, StringComparison.Ordinal));
        Environment = Write("env.yaml", "apiVersion: helix.runbooks/v1\nname: env\ntargets:\n  thing: { kind: thing, at: here }\npeople:\n  groups: { dba: [bob, carol] }\n");
    }

    public string Folder { get; }
    public string Book { get; }
    public string Environment { get; }
    public string World => Path.Combine(Folder, "world");
    public string StoreFile => Path.Combine(Folder, "helix.db");

    /// <summary>The name of the store: that file, or a database.</summary>
    public string Store
    {
        get => field ?? StoreFile;
        init;
    }
    public IReadOnlyList<string> Lines => File.Exists(World) ? File.ReadAllLines(World) : [];

    public string Write(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        File.WriteAllText(path, text, new UTF8Encoding(false));
        return path;
    }

    /// <summary>Another process that starts the run and drives it.</summary>
    public DriverProcess Start(string? failpoint = null, params IEnumerable<string> more) =>
        new(failpoint, [$"store={Store}", $"data={Folder}", $"book={Book}", $"env={Environment}", .. more]);

    /// <summary>Another process that goes on with it.</summary>
    public DriverProcess Resume(string run, string? failpoint = null, params IEnumerable<string> more) =>
        new(failpoint, [$"store={Store}", $"data={Folder}", $"run={run}", .. more]);

    public Session Open(TimeProvider? time = null, EngineSettings? settings = null) => new(this, time ?? TimeProvider.System, settings);

    public void Dispose() => TempFolder.Delete(Folder);
}

/// <summary>An engine of this process on the scene's store.</summary>
sealed class Session : IDisposable
{
    readonly Scene _scene;

    public Session(Scene scene, TimeProvider time, EngineSettings? settings)
    {
        _scene = scene;
        Store = JournalStore.Open(scene.Store, time);
        Engine = new Engine(RunHarness.Catalog, Store, time, settings ?? new EngineSettings { DataFolder = scene.Folder, Look = TimeSpan.FromMilliseconds(5) });
    }

    long _seen = -1;

    /// <summary>An approval that is given before its question is asked.</summary>
    public string? EarlyGate { get; init; }
    public JournalStore Store { get; }
    public Engine Engine { get; }
    public string? Run => Store.Runs() is [var first, ..] ? first.Run : null;
    public RunState State => Engine.State(Run!);

    /// <summary>Starts the scene's runbook, in this process.</summary>
    public string Start()
    {
        var env = new Model.EnvironmentReader(RunHarness.Catalog).ReadFile(_scene.Environment).Value!;
        var book = new Model.RunbookReader(RunHarness.Catalog).ReadFile(_scene.Book, env).Value!;
        var plan = new Plans.Planner(RunHarness.Catalog).Plan(book, env, [], Plans.Mode.Live);
        return Engine.Start(plan, new StartRequest { Operator = RunHarness.Alice, Trigger = "unattended", Attended = false });
    }

    /// <summary>Drives and answers until the run ends.</summary>
    public async Task<RunState> ToTheEnd()
    {
        for (var drives = 0; drives < 20; drives++)
        {
            Answer();
            var result = await Engine.Drive(Run!, new DriveSettings());
            if (result.End == DriveEnd.Ended)
                return result.State;
        }
        throw new InvalidOperationException($"The run does not end: {string.Join(", ", State.Steps.Values.Select(s => $"{s.Path} {s.Status}"))}");
    }

    /// <summary>What a person does who looks at the run and at the world.</summary>
    public void Answer()
    {
        var version = Store.DataVersion();
        if (version == _seen || Run is not { } run)
            return;
        _seen = version;
        var state = Engine.State(run);
        if (EarlyGate is { } gate && state.Ended is null && state.StatusOf(gate) == StepStatus.Pending && !state.Early.ContainsKey(gate))
            Decide(run, gate, "approve", []);
        foreach (var question in state.OpenQuestions.Where(q => q.Answers.Count == 0))
            if (question.Asked.Kind == QuestionKind.Approval)
                Decide(run, question.Id, "approve", question.Asked.Inputs.Count > 0 ? new JsonObject { ["why"] = "it is due" } : []);
            else if (question.Asked.Kind == QuestionKind.InDoubt)
                Look(run, state.Step(question.Asked.Path)!, question.Id);
    }

    void Look(string run, StepState step, string question)
    {
        var line = step.With!["line"]?.ToString() ?? $"destroyed {step.With["target"]}";
        var happened = _scene.Lines.Contains(line);
        Engine.Decide(run, RunHarness.Bob, new Decided
        {
            Question = question,
            Choice = happened ? "done" : "retry",
            Evidence = "looked",
            Outputs = happened && step.With["line"] is not null ? new JsonObject { ["line"] = line, ["lines"] = 0 } : null,
        });
    }

    void Decide(string run, string question, string choice, JsonObject inputs) =>
        Engine.Decide(run, RunHarness.Bob, new Decided { Question = question, Choice = choice, Inputs = inputs });

    public void Dispose() => Store.Dispose();
}
