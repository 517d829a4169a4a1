using Helix.Runbooks.Journal;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using Mode = Helix.Runbooks.Plans.Mode;

namespace Helix.Runbooks.Tests.Runs;

public sealed class GateTests
{
    const string Destroy = """
        steps:
          - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
          - { id: load, uses: world.destroy, with: { world: WORLD, target: thing } }
        """;

    static async Task<(RunHarness, string)> Approved(string targets, string environment = "")
    {
        var h = new RunHarness();
        var run = h.Start(h.Plan(Destroy, targets, environment: environment));
        await h.Drive(run);
        Assert.True(h.Answer(run, RunHarness.Bob, "approve").Accepted);
        return (h, run);
    }

    [Fact]
    public void Destruction_without_an_approval_is_refused_before_anything_runs()
    {
        using var h = new RunHarness();
        var error = Record.Exception(() => h.Start(h.Plan("steps:\n  - { id: load, uses: world.destroy, with: { world: WORLD, target: thing } }\n")));
        Assert.Contains("approval", error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_wrong_place_is_refused_and_nothing_is_destroyed()
    {
        var (h, run) = await Approved("  thing: { kind: thing, at: here, says: elsewhere, identity: { place: here } }");
        using var _ = h;
        var result = await h.Drive(run);
        Assert.Equal(1, result.ExitCode);
        Assert.Empty(h.Lines);
        Assert.Equal("identity", result.State.Step("load")!.Gate);
        Assert.Contains("'thing' is elsewhere, and the environment says it is here", result.State.Step("load")!.Message);
    }

    [Fact]
    public async Task A_place_that_cannot_be_read_asks_and_an_override_is_recorded()
    {
        var h = new RunHarness();
        using var _ = h;
        var run = h.Start(h.Plan(Destroy, "  thing: { kind: thing, at: here, says: \"\", identity: { place: here } }"), attended: true);
        await h.Drive(run);
        h.Answer(run, RunHarness.Bob, "approve");
        Assert.Equal(4, (await h.Drive(run)).ExitCode);
        Assert.Empty(h.Lines);
        Assert.False(h.Answer(run, RunHarness.Alice, "override").Accepted);
        Assert.True(h.Answer(run, RunHarness.Alice, "override", "I stand before it").Accepted);
        var result = await h.Drive(run);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(["destroyed thing"], h.Lines);
        Assert.Equal("identity", Assert.Single(result.State.Overrides).Gate);
    }

    [Fact]
    public async Task A_protected_environment_wants_its_name_typed_once()
    {
        var (h, run) = await Approved("  thing: { kind: thing, at: here, identity: { place: here } }", "protected: true");
        using var _ = h;
        var refused = await h.Drive(run);
        Assert.Equal("confirmation", refused.State.Step("load")!.Gate);
        Assert.Empty(h.Lines);
    }

    [Fact]
    public async Task A_typed_name_lets_through_and_a_wrong_one_does_not()
    {
        var (h, run) = await Approved("  thing: { kind: thing, at: here, identity: { place: here } }", "protected: true");
        using var _ = h;
        Assert.Throws<RunbookException>(() => h.Engine.ConfirmDestruction(run, RunHarness.Alice, "prod"));
        h.Engine.ConfirmDestruction(run, RunHarness.Alice, "env");
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
        Assert.Equal(["destroyed thing"], h.Lines);
    }

    [Fact]
    public void A_protected_environment_without_identities_is_no_place_to_destroy_in()
    {
        using var h = new RunHarness();
        var plan = h.Plan(Destroy, "  thing: { kind: thing, at: here }", environment: "protected: true");
        Assert.Contains(plan.Problems, p => p.Rule == "identity");
        Assert.Throws<RunbookException>(() => h.Start(plan));
    }

    [Fact]
    public void A_drill_refuses_a_protected_environment()
    {
        using var h = new RunHarness();
        var plan = h.Plan(Destroy, "  thing: { kind: thing, at: here, identity: { place: here } }", Mode.Drill, environment: "protected: true");
        Assert.Contains("protected", Assert.Throws<RunbookException>(() => h.Start(plan)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_skipped_approval_gates_nothing()
    {
        using var h = new RunHarness();
        var result = await h.Drive(h.Start(h.Plan("""
            inputs:
              ask: { type: boolean, default: false }
            steps:
              - { id: always, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
              - { id: load, uses: world.destroy, with: { world: WORLD, target: thing } }
            """)));
        var run = result.State.Run;
        h.Answer(run, RunHarness.Bob, "reject", "no");
        var ended = await h.Drive(run);
        Assert.Equal(5, ended.ExitCode);
        Assert.Empty(h.Lines);
    }

    [Fact]
    public void A_second_run_on_the_same_thing_is_told_who_holds_it()
    {
        using var h = new RunHarness();
        var run = h.Start(h.Plan(Destroy));
        var held = Assert.Throws<HeldException>(() => h.Start(h.Plan(Destroy)));
        Assert.Contains(run, held.Message, StringComparison.Ordinal);
        h.Store.BreakLock("thing:here", RunHarness.Bob, "it is mine");
        Assert.NotEmpty(h.Start(h.Plan(Destroy)));
    }

    [Fact]
    public async Task A_second_run_may_wait_until_the_first_has_ended_and_its_clock_runs_from_the_request()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 2, 0, 0, TimeSpan.Zero));
        using var h = new RunHarness(time);
        var first = h.Start(h.Plan(Destroy));
        var told = new List<string>();
        var waiting = h.Engine.StartWhenFree(h.Plan(Destroy), new StartRequest { Operator = RunHarness.Bob, Trigger = "unattended", Attended = false }, held => told.Add(held.Message), CancellationToken.None);
        time.Advance(TimeSpan.FromMinutes(3));
        Assert.False(waiting.IsCompleted);
        Assert.Contains(first, Assert.Single(told.Distinct()), StringComparison.Ordinal);
        h.Engine.Cancel(first, RunHarness.Alice, "not needed");
        await h.Drive(first);
        time.Advance(TimeSpan.FromSeconds(1));
        var second = h.Engine.State(await waiting);
        Assert.Equal("bob", second.Started.Operator.Account);
        Assert.Equal(TimeSpan.FromSeconds(181), second.StartedAt - second.Started.DeclaredAt);
    }

    [Fact]
    public async Task Who_leaves_the_queue_has_started_nothing()
    {
        using var h = new RunHarness();
        h.Start(h.Plan(Destroy));
        using var leave = new CancellationTokenSource();
        var waiting = h.Engine.StartWhenFree(h.Plan(Destroy), new StartRequest { Operator = RunHarness.Bob, Trigger = "unattended", Attended = false }, _ => { }, leave.Token);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Single(h.Store.Runs());
    }

    [Fact]
    public async Task What_was_half_loaded_stays_down_and_what_else_was_stopped_is_started_again()
    {
        using var h = new RunHarness();
        var run = h.Start(h.Plan("""
            steps:
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
              - { id: stop, uses: world.stop, with: { world: WORLD, targets: [thing, other] } }
              - { id: load, uses: world.destroy, with: { world: WORLD, target: thing, fail: true } }
            """, "  thing: { kind: thing, at: here }\n  other: { kind: thing, at: there }"));
        await h.Drive(run);
        h.Answer(run, RunHarness.Bob, "approve");
        var result = await h.Drive(run);
        Assert.Equal(1, result.ExitCode);
        Assert.Equal(["stopped thing", "stopped other", "destroyed thing", "started other"], h.Lines);
        Assert.Equal("stopped:thing", Assert.Single(result.State.Residue.Keys));
        Assert.Contains("thing", HalfLoaded.Targets(result.State));
    }

    [Fact]
    public async Task What_an_earlier_round_left_half_loaded_stays_down_when_the_next_one_does_not_load_it_anew()
    {
        using var h = new RunHarness();
        var run = h.Start(h.Plan("""
            inputs:
              broken: { type: number, default: 0 }
            steps:
              - { id: fetch, uses: world.write, ifFails: abort, with: { world: WORLD, line: fetch, failure: conflict, failFirst: "{{ inputs.broken }}" } }
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
              - { id: stop, uses: world.stop, with: { world: WORLD, targets: [thing] } }
              - { id: load, uses: world.destroy, ifFails: ask, with: { world: WORLD, target: thing, fail: true } }
            """));
        await h.Drive(run);
        h.Answer(run, RunHarness.Bob, "approve");
        var question = Assert.Single((await h.Drive(run)).State.OpenQuestions).Id;
        Assert.True(h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = question, Choice = "go-back", To = "fetch", Reason = "another one", Inputs = new() { ["broken"] = 1 } }).Accepted);
        var ended = await h.Drive(run);
        Assert.Equal((1, 2), (ended.ExitCode, ended.State.Round));
        Assert.Equal(["fetch", "stopped thing", "destroyed thing"], h.Lines);
        Assert.Contains("thing", HalfLoaded.Targets(ended.State));
        Assert.Collection(Reporting.Of(h.Engine, run).Down,
            half => Assert.StartsWith("thing: load began to overwrite", half, StringComparison.Ordinal),
            down => Assert.StartsWith("Thing is stopped", down, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_that_changed_since_it_was_verified_is_not_loaded()
    {
        using var h = new RunHarness();
        var run = h.Start(h.Plan("""
            steps:
              - { id: make, uses: world.file, with: { path: "{{ run.work }}/good" } }
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
              - { id: load, uses: world.destroy, with: { world: WORLD, target: thing, from: "{{ steps.make.file }}" } }
            """));
        await h.Drive(run);
        h.Answer(run, RunHarness.Bob, "approve");
        // Between approval and load somebody changes the file.
        File.AppendAllText(h.Engine.State(run).Step("make")!.Outputs!["file"]!.ToString(), "more");
        var result = await h.Drive(run);
        Assert.Equal("backup", result.State.Step("load")!.Gate);
        Assert.Empty(h.Lines);
    }

    [Fact]
    public async Task A_file_that_no_step_of_the_run_verified_is_refused_by_its_gate_and_people_may_override_it()
    {
        using var h = new RunHarness();
        var file = Path.Combine(h.Folder, "fetched-by-hand");
        File.WriteAllText(file, "data");
        var run = h.Start(h.Plan($$$"""
            inputs:
              file: { type: string, default: {{{file}}} }
            steps:
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
              - { id: load, uses: world.destroy, with: { world: WORLD, target: thing, from: "{{ inputs.file }}" } }
            """), attended: true);
        await h.Drive(run);
        h.Answer(run, RunHarness.Bob, "approve");
        var refused = (await h.Drive(run)).State.Step("load")!;
        Assert.Equal("backup", refused.Gate);
        Assert.Contains($"{file} is no verified backup of this run", refused.Message, StringComparison.Ordinal);
        Assert.Empty(h.Lines);
        Assert.True(h.Answer(run, RunHarness.Alice, "override", "its digest was compared by telephone").Accepted);
        await h.Drive(run);
        Assert.Equal(["destroyed thing"], h.Lines);
    }

    [Fact]
    public async Task An_approval_covers_the_file_that_a_step_behind_it_makes_under_the_name_that_was_shown()
    {
        using var h = new RunHarness();
        var run = h.Start(h.Plan("""
            steps:
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
              - { id: make, uses: world.file, with: { path: "{{ run.work }}/good" } }
              - { id: load, uses: world.destroy, with: { world: WORLD, target: thing, from: "{{ steps.make.file }}" } }
            """));
        await h.Drive(run);
        h.Answer(run, RunHarness.Bob, "approve");
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
        Assert.Equal(["destroyed thing"], h.Lines);
    }
}
