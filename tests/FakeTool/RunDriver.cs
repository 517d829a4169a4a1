using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Runs;
using Mode = Helix.Runbooks.Plans.Mode;

/// <summary>A driver in a process of its own, to be killed, stopped and interrupted: <c>drive store=FILE data=FOLDER (run=ID | book=FILE env=FILE)</c> and short times on demand.</summary>
static class RunDriver
{
    // Loading all step types costs more time than most runs of these tests take, so it is asked for.
    static StepCatalog CatalogOf(bool all) => all ? new(Assembly.Load("Helix.Steps"), typeof(WorldWrite).Assembly) : new(typeof(WorldWrite).Assembly);

    public static async Task<int> Run(string[] arguments)
    {
        var said = arguments.Select(a => a.Split('=', 2)).ToDictionary(a => a[0], a => a[1]);
        using var interrupt = new CancellationTokenSource();
        using var kill = new CancellationTokenSource();
        using var signal = PosixSignalRegistration.Create(PosixSignal.SIGINT, c =>
        {
            c.Cancel = true;
            (interrupt.IsCancellationRequested ? kill : interrupt).Cancel();
        });
        try
        {
            using var store = JournalStore.Open(said["store"], TimeProvider.System);
            var engine = new Engine(CatalogOf(said.ContainsKey("all")), store, TimeProvider.System, Settings(said));
            var run = said.GetValueOrDefault("run") ?? Start(engine, said["book"], said["env"]);
            Console.WriteLine(run);
            var result = await engine.Drive(run, new DriveSettings { StayWhileWaiting = said.ContainsKey("stay"), Interrupt = interrupt.Token, Kill = kill.Token });
            Console.WriteLine($"{result.End} {result.Why}");
            return result.ExitCode;
        }
        catch (HeldException e)
        {
            Console.Error.WriteLine($"{e.Message}\n{e.Hint}");
            return ExitCodes.Held;
        }
        catch (StoreLostException e)
        {
            Console.Error.WriteLine(e.Message);
            return ExitCodes.Failed;
        }
        catch (RunbookException e)
        {
            Console.Error.WriteLine($"{e.Message}\n{e.Hint}");
            return ExitCodes.Wrong;
        }
    }

    static EngineSettings Settings(Dictionary<string, string> said) => new()
    {
        DataFolder = said["data"],
        SecondStore = said.GetValueOrDefault("second"),
        Look = TimeSpan.FromMilliseconds(10),
        Heartbeat = Milliseconds(said, "beat") ?? TimeSpan.FromSeconds(2),
        LeaseExpires = Milliseconds(said, "expires") ?? TimeSpan.FromSeconds(10),
    };

    static TimeSpan? Milliseconds(Dictionary<string, string> said, string name) =>
        said.TryGetValue(name, out var text) ? TimeSpan.FromMilliseconds(int.Parse(text, CultureInfo.InvariantCulture)) : null;

    static string Start(Engine engine, string book, string environment)
    {
        var env = Valid(new EnvironmentReader(engine.Catalog).ReadFile(environment));
        var plan = new Planner(engine.Catalog).Plan(Valid(new RunbookReader(engine.Catalog).ReadFile(book, env)), env, [], Mode.Live);
        return engine.Start(plan, new StartRequest { Operator = new Person("alice", IdentityStrength.Os, "test"), Trigger = "unattended", Attended = false });
    }

    static T Valid<T>(ReadResult<T> read) where T : class => read.Value ?? throw new RunbookException(string.Join("\n", read.Problems));
}
