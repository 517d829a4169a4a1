using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Mode = Helix.Runbooks.Plans.Mode;

namespace Helix.Runbooks.Tests.Runs;

/// <summary>An approval counts for what was shown, an override for what was refused, and neither for anything else.</summary>
public sealed class ApprovedOnlyTests : IDisposable
{
    const string Two = "  thing: { kind: thing, at: here }\n  other: { kind: thing, at: there }";
    const string Fails = """
        steps:
          - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
          - { id: load, uses: world.destroy, with: { world: WORLD, target: thing, fail: true } }
        """;

    readonly RunHarness _h = new();

    public void Dispose() => _h.Dispose();

    [Theory]
    [InlineData("target", "other", true)]   // shown
    [InlineData("withAll", true, true)]     // not written in the runbook at all
    [InlineData("world", "elsewhere", true)]
    [InlineData("fail", false, true)]
    [InlineData("grace", "30s", false)]     // how long it may take is no part of what was approved
    public async Task A_retry_may_change_how_long_an_approved_destruction_takes_and_nothing_else(string option, object value, bool refused)
    {
        var run = await Approved(Fails);
        await _h.Drive(run);
        Assert.Equal(["destroyed thing"], _h.Lines);
        Retry(run, new() { [option] = JsonValue.Create(value) });
        var result = await _h.Drive(run);
        Assert.Equal(refused ? "approval" : null, result.State.Step("load")!.Gate);
        Assert.Equal(refused ? 1 : 2, _h.Lines.Count);
        if (refused)
            Assert.Contains($"what was approved differs from what would be done: '{option}'", result.State.Step("load")!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_element_of_a_loop_behind_the_gate_is_no_less_guarded()
    {
        var run = await Approved("""
            steps:
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
              - id: each
                forEach: [thing]
                as: it
                steps:
                  - { id: load, uses: world.destroy, with: { world: WORLD, target: thing, fail: true } }
            """);
        await _h.Drive(run);
        Assert.Equal(["destroyed thing"], _h.Lines);
        Retry(run, new() { ["target"] = "other" });
        Assert.Equal("approval", (await _h.Drive(run)).State.Step("each[0]/load")!.Gate);
        Assert.Single(_h.Lines);
    }

    [Fact]
    public async Task Inputs_that_were_changed_since_the_approval_are_not_what_was_approved_although_the_option_reads_the_same()
    {
        var run = await Approved("""
            inputs:
              which: { type: string, default: WORLD }
            steps:
              - { id: go, uses: approval, with: { message: "Overwrite {{ inputs.which }}?", approvers: ["group:dba"] } }
              - { id: fetch, uses: world.file, with: { path: "{{ inputs.which }}" } }
              - { id: load, uses: world.destroy, with: { world: "{{ steps.fetch.file }}", target: thing, fail: true } }
            """);
        await _h.Drive(run);
        Assert.EndsWith("destroyed thing", _h.Lines[^1], StringComparison.Ordinal);
        var other = _h.World + ".other";
        Assert.True(_h.Engine.Decide(run, RunHarness.Alice, new Decided { Question = _h.Engine.State(run).OpenQuestions.Single().Id, Choice = "go-back", To = "fetch", Reason = "other", Inputs = new() { ["which"] = other } }).Accepted);
        Assert.Equal("approval", (await _h.Drive(run)).State.Step("load")!.Gate);
        Assert.Equal("data", File.ReadAllText(other));

        // Who overrides it has seen this one, and no other that a retry puts in its place.
        Assert.True(_h.Answer(run, RunHarness.Alice, "override", "the other file is the one").Accepted);
        await _h.Drive(run);
        Assert.EndsWith("destroyed thing", File.ReadAllLines(other)[^1], StringComparison.Ordinal);
        Retry(run, new() { ["target"] = "other" });
        Assert.Equal("approval", (await _h.Drive(run)).State.Step("load")!.Gate);
        Assert.DoesNotContain("destroyed other", File.ReadAllText(other), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Going_back_straight_to_a_destruction_that_was_begun_needs_its_gate_to_ask_again_although_nothing_was_changed()
    {
        var run = await Approved(Fails);
        await _h.Drive(run);
        GoBack(run, "load");
        var refused = (await _h.Drive(run)).State.Step("load")!;
        Assert.Equal("approval", refused.Gate);
        Assert.Matches("it was begun already in round 1, and what 'go' approved there does not cover doing .*\"target\":\"thing\".* once more", refused.Message);
        Assert.Contains($"Go back to 'go', which asks again (the answer go-back, or after the end of the run `helix reopen {run} --to go`)", refused.Hint, StringComparison.Ordinal);
        Assert.Single(_h.Lines);

        GoBack(run, "go");
        await _h.Drive(run);
        Assert.True(_h.Answer(run, RunHarness.Bob, "approve").Accepted);
        await _h.Drive(run);
        Assert.Equal(["destroyed thing", "destroyed thing"], _h.Lines);
        // A retry in this round has the approval of this round.
        Retry(run, []);
        Assert.Null((await _h.Drive(run)).State.Step("load")!.Gate);
        Assert.Equal(3, _h.Lines.Count);
    }

    [Fact]
    public async Task Who_overrides_the_gate_of_a_destruction_that_was_begun_has_overridden_it_for_the_options_of_then()
    {
        var run = await Approved(Fails);
        await _h.Drive(run);
        GoBack(run, "load");
        await _h.Drive(run);
        Assert.True(_h.Answer(run, RunHarness.Alice, "override", "the first half did no harm").Accepted);
        await _h.Drive(run);
        Assert.Equal(["destroyed thing", "destroyed thing"], _h.Lines);
        Retry(run, new() { ["target"] = "other" });
        Assert.Equal("approval", (await _h.Drive(run)).State.Step("load")!.Gate);
        Assert.Equal(2, _h.Lines.Count);
    }

    [Fact]
    public async Task Reopening_a_run_at_a_destruction_that_was_done_needs_its_gate_to_ask_again()
    {
        var run = _h.Start(_h.Plan(Fails.Replace(", fail: true", "", StringComparison.Ordinal), Two));
        await _h.Drive(run);
        Assert.True(_h.Answer(run, RunHarness.Bob, "approve").Accepted);
        Assert.Equal(0, (await _h.Drive(run)).ExitCode);
        _h.Engine.Reopen(run, RunHarness.Alice, "load", "the data proved bad", []);
        Assert.Equal("approval", (await _h.Drive(run)).State.Step("load")!.Gate);
        Assert.Equal(["destroyed thing"], _h.Lines);
    }

    [Fact]
    public async Task An_approval_holds_after_going_back_for_a_destruction_that_was_never_begun()
    {
        var run = await Approved("""
            steps:
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
              - { id: room, uses: world.write, with: { world: WORLD, line: room, failFirst: 1, failure: conflict } }
              - { id: load, uses: world.destroy, with: { world: WORLD, target: thing } }
            """);
        await _h.Drive(run);
        GoBack(run, "room");
        Assert.Equal(0, (await _h.Drive(run)).ExitCode);
        Assert.Equal(["room", "destroyed thing"], _h.Lines);
    }

    [Fact]
    public async Task An_element_that_was_destroyed_before_the_run_went_back_is_the_same_under_another_index()
    {
        var (a, b) = (_h.World + ".a", _h.World + ".b");
        var list = _h.Write("list", $"{a}\n{b}\n");
        var run = await Approved($$$"""
            steps:
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
              - { id: list, uses: command.run, effect: reads, with: { argv: [cat, {{{list}}}], outputs: { all: { type: list, from: lines } } } }
              - id: each
                forEach: "{{ steps.list.all }}"
                as: it
                atMost: 5
                steps:
                  - { id: load, uses: world.destroy, with: { world: "{{ it }}", target: thing, fail: true } }
            """);
        await _h.Drive(run);
        Assert.Equal((true, false), (File.Exists(a), File.Exists(b)));
        _h.Write("list", $"{b}\n{a}\n");
        GoBack(run, "list");
        Assert.Equal("approval", (await _h.Drive(run)).State.Step("each[0]/load")!.Gate);
        Assert.True(_h.Answer(run, RunHarness.Alice, "skip", "not that one").Accepted);
        Assert.Equal("approval", (await _h.Drive(run)).State.Step("each[1]/load")!.Gate);
        Assert.False(File.Exists(b));
        Assert.Single(await File.ReadAllLinesAsync(a));
    }

    [Fact]
    public async Task A_step_that_was_added_behind_the_gate_after_the_approval_was_not_approved()
    {
        var run = await Approved(Fails.Replace(", fail: true", "", StringComparison.Ordinal));
        _h.Write("book.yaml", File.ReadAllText(Path.Combine(_h.Folder, "book.yaml")) + $"\n  - {{ id: more, uses: world.destroy, with: {{ world: {_h.World}, target: other }} }}\n");
        await _h.Engine.TakeChanges(run, RunHarness.Alice);
        var result = await _h.Drive(run);
        Assert.Equal("approval", result.State.Step("load")!.Gate);
        Assert.Contains("another plan", result.State.Step("load")!.Message, StringComparison.Ordinal);
        Assert.Empty(_h.Lines);
    }

    [Fact]
    public async Task Who_overrides_one_gate_has_not_opened_the_next()
    {
        var run = await Approved(Fails, "  thing: { kind: thing, at: here, says: \"\", identity: { place: here } }", "protected: true");
        Assert.Equal("identity", (await _h.Drive(run)).State.Step("load")!.Gate);
        Assert.True(_h.Answer(run, RunHarness.Alice, "override", "I stand before it").Accepted);
        Assert.Equal("confirmation", (await _h.Drive(run)).State.Step("load")!.Gate);
        Assert.Empty(_h.Lines);
    }

    [Fact]
    public async Task An_override_is_for_what_was_refused_and_for_the_options_that_it_was_given_for()
    {
        var run = await Approved(Fails);
        await _h.Drive(run);
        Retry(run, new() { ["target"] = "other" });
        Assert.Equal("approval", (await _h.Drive(run)).State.Step("load")!.Gate);
        Assert.Equal("other", _h.Engine.State(run).OpenQuestions.Single().Asked.Shown["with"]!["target"]!.ToString());
        Assert.True(_h.Answer(run, RunHarness.Alice, "override", "other is the one").Accepted);
        await _h.Drive(run);
        Assert.Equal(["destroyed thing", "destroyed other"], _h.Lines);

        Retry(run, new() { ["withAll"] = true });
        Assert.Equal("approval", (await _h.Drive(run)).State.Step("load")!.Gate);
        Assert.Equal(2, _h.Lines.Count);
    }

    [Fact]
    public void An_exercise_on_a_protected_environment_needs_the_gates_of_the_real_thing()
    {
        var plan = _h.Plan("""
            steps:
              - { id: load, uses: world.destroy, with: { world: WORLD, target: thing } }
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
            """, "  thing: { kind: thing, at: here, identity: { place: here } }", Mode.Drill, environment: "protected: true");
        var refused = Assert.Throws<RunbookException>(() => _h.Engine.Start(plan, new StartRequest { Operator = RunHarness.Alice, Trigger = "terminal", Attended = true, Exercise = true }));
        Assert.Contains("no approval precedes it", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_exercise_on_a_protected_environment_wants_its_name_typed()
    {
        var plan = _h.Plan(Fails, "  thing: { kind: thing, at: here, identity: { place: here } }", Mode.Drill, environment: "protected: true");
        var run = _h.Engine.Start(plan, new StartRequest { Operator = RunHarness.Alice, Trigger = "terminal", Attended = true, Exercise = true });
        await _h.Drive(run);
        _h.Answer(run, RunHarness.Bob, "approve");
        Assert.Equal("confirmation", (await _h.Drive(run)).State.Step("load")!.Gate);
        Assert.Empty(_h.Lines);
    }

    async Task<string> Approved(string body, string targets = Two, string environment = "")
    {
        var run = _h.Start(_h.Plan(body, targets, environment: environment), attended: true);
        await _h.Drive(run);
        Assert.True(_h.Answer(run, RunHarness.Bob, "approve").Accepted);
        return run;
    }

    void GoBack(string run, string to) =>
        Assert.True(_h.Engine.Decide(run, RunHarness.Alice, new Decided { Question = _h.Engine.State(run).OpenQuestions.Single().Id, Choice = "go-back", To = to, Reason = "again" }).Accepted);

    void Retry(string run, JsonObject with) =>
        Assert.True(_h.Engine.Decide(run, RunHarness.Alice, new Decided { Question = _h.Engine.State(run).OpenQuestions.Single().Id, Choice = "retry", With = with }).Accepted);
}
