using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;
using Mode = Helix.Runbooks.Plans.Mode;

namespace Helix.Runbooks.Tests.Runs;

/// <summary>A real engine with a real store in a folder of its own, and runbooks as text.</summary>
public sealed class RunHarness : IDisposable
{
    public static readonly StepCatalog Catalog = new(typeof(Runtime).Assembly, typeof(WorldWrite).Assembly);
    public static readonly Person Alice = new("alice", IdentityStrength.Os, "test");
    public static readonly Person Bob = new("bob", IdentityStrength.Os, "test");

    public string Folder { get; } = Directory.CreateTempSubdirectory("helix-run-").FullName;
    public string World => Path.Combine(Folder, "world");
    public JournalStore Store { get; }
    public Engine Engine { get; }

    /// <param name="store">Null: a file in the folder.</param>
    public RunHarness(TimeProvider? time = null, string? store = null)
    {
        Store = JournalStore.Open(store ?? Path.Combine(Folder, "helix.db"), time ?? TimeProvider.System);
        Engine = new Engine(Catalog, Store, time ?? TimeProvider.System, new EngineSettings { DataFolder = Folder, Look = TimeSpan.FromMilliseconds(20), LeaseExpires = TimeSpan.FromMinutes(2) });
    }

    public IReadOnlyList<string> Lines => File.Exists(World) ? File.ReadAllLines(World) : [];

    public Plan Plan(string body, string targets = "  thing: { kind: thing, at: here }", Mode mode = Mode.Live, JsonObject? inputs = null, string environment = "")
    {
        var environmentFile = Write("env.yaml", $"apiVersion: helix.runbooks/v1\nname: env\n{environment}\ntargets:\n{targets}\npeople:\n  groups: {{ dba: [bob, carol] }}\n");
        var runbookFile = Write("book.yaml", "apiVersion: helix.runbooks/v1\nname: book\ntitle: A test\n" + body.Replace("WORLD", World, StringComparison.Ordinal));
        var env = Valid(new EnvironmentReader(Catalog).ReadFile(environmentFile));
        var book = Valid(new RunbookReader(Catalog).ReadFile(runbookFile, env));
        return new Planner(Catalog).Plan(book, env, inputs ?? [], mode);
    }

    public string Write(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        File.WriteAllText(path, text, new UTF8Encoding(false));
        return path;
    }

    public string Start(Plan plan, bool attended = false, Person? by = null) =>
        Engine.Start(plan, new StartRequest { Operator = by ?? Alice, Trigger = "unattended", Attended = attended });

    public Task<DriveResult> Drive(string run, bool stay = false, CancellationToken interrupt = default) =>
        Engine.Drive(run, new DriveSettings { Interrupt = interrupt, StayWhileWaiting = stay });

    public async Task<DriveResult> Run(string body, bool attended = false) => await Drive(Start(Plan(body), attended));

    public DecisionResult Answer(string run, Person by, string choice, string? reason = null)
    {
        var question = Engine.State(run).OpenQuestions.First();
        return Engine.Decide(run, by, new Decided { Question = question.Id, Choice = choice, Reason = reason });
    }

    static T Valid<T>(ReadResult<T> read) where T : class => read.Value ?? throw new InvalidOperationException(string.Join("\n", read.Problems));

    public void Dispose()
    {
        Store.Dispose();
        TempFolder.Delete(Folder);
    }
}
