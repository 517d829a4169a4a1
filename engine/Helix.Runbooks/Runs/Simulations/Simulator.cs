using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs.Simulations;

/// <summary>Plays scenarios: the real engine over a throw-away store, with a script in place of the world.</summary>
public sealed class Simulator(StepCatalog catalog)
{
    static readonly DateTimeOffset Start = new(2026, 3, 1, 2, 0, 0, TimeSpan.Zero);

    // A parked question is asked anew each time that somebody goes on with the run.
    const int MostDrives = 100;

    public async Task<IReadOnlyList<Played>> Play(Simulation simulation)
    {
        var played = new List<Played>();
        foreach (var scenario in simulation.Scenarios)
            played.Add(await Play(scenario));
        return played;
    }

    public async Task<Played> Play(Scenario scenario)
    {
        var folder = Directory.CreateTempSubdirectory("helix-simulation-").FullName;
        try
        {
            return await PlayIn(folder, scenario);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    async Task<Played> PlayIn(string folder, Scenario scenario)
    {
        var clock = new SkippingClock(Start);
        var playback = new Playback(scenario);
        var world = new PlayedWorld(scenario, playback, clock);
        using var store = JournalStore.Open(Path.Combine(folder, "helix.db"), clock);
        var engine = new Engine(catalog, store, clock, new EngineSettings { DataFolder = folder, Look = TimeSpan.FromDays(1) }) { World = world };
        var run = engine.Start(scenario.Plan, new StartRequest { Operator = ScriptedPeople.Operator, Trigger = scenario.Attended ? "terminal" : "unattended", Attended = scenario.Attended, Exercise = true });
        if (scenario.Plan.Environment.Protected && scenario.Plan.Destroys)
            engine.ConfirmDestruction(run, ScriptedPeople.Operator, scenario.Plan.Environment.Name);
        world.People = new ScriptedPeople(engine, run, scenario, playback, clock);
        var stuck = await Drive(engine, run, scenario);
        var entries = store.Read(run);
        var missed = stuck is null ? Missed(scenario, RunState.Of(run, entries), new Trace([entries])) : [stuck];
        return new Played(scenario, RunState.Of(run, entries), entries, [.. missed], [.. playback.Unused.Select(Idle)]);
    }

    /// <summary>Until the run has ended. Else what keeps it from that.</summary>
    static async Task<Problem?> Drive(Engine engine, string run, Scenario scenario)
    {
        try
        {
            for (var i = 0; i < MostDrives; i++)
                if ((await engine.Drive(run, new DriveSettings { StayWhileWaiting = true })).End == DriveEnd.Ended)
                    return null;
            return Problem(scenario.Position, "stuck", "the run never ends");
        }
        catch (StuckException e)
        {
            return Problem(e.Position, "stuck", e.Message);
        }
    }

    static IEnumerable<Problem> Missed(Scenario scenario, RunState state, Trace trace)
    {
        var expect = scenario.Expect;
        var ended = state.Ended!;
        if (ended.Outcome != expect.Outcome)
            yield return Problem(expect.Position, "outcome", $"the run ended as {Word(ended.Outcome)} ({ended.Reason}), and {Word(expect.Outcome)} was expected");
        foreach (var step in expect.Ran.Where(s => !trace.Ran(s.Path)))
            yield return Problem(step.Position, "ran", $"'{step.Path}' was expected to run, and {(trace.Skipped(step.Path) ? "was skipped" : "did not")}");
        foreach (var step in expect.Skipped.Where(s => !trace.Skipped(s.Path)))
            yield return Problem(step.Position, "skipped", $"'{step.Path}' was expected to be skipped, and {(trace.Ran(step.Path) ? "ran" : "was not reached")}");
        foreach (var step in expect.NotRun.Where(s => trace.Ran(s.Path)))
            yield return Problem(step.Position, "not-run", $"'{step.Path}' was expected not to run, and it ran");
    }

    static Problem Idle((string Path, Script Script) unused) =>
        new(unused.Script.Position, $"the result of '{unused.Path}' was never played", null, Severity.Warning) { Rule = "unused-result" };

    static Problem Problem(Position position, string rule, string message) => new(position, message) { Rule = rule };
    static string Word(Outcome outcome) => outcome.ToString().ToLowerInvariant();
}

/// <summary>A scenario and what came of it.</summary>
/// <param name="Missed">What is not as expected.</param>
/// <param name="Idle">Results that nothing came to.</param>
public sealed record Played(Scenario Scenario, RunState State, IReadOnlyList<JournalEntry> Entries, IReadOnlyList<Problem> Missed, IReadOnlyList<Problem> Idle);
