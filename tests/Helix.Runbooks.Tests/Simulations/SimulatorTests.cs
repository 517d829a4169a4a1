using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Simulations;

public sealed class SimulatorTests
{
    const string Restore = """
        steps:
          - { id: fetch, uses: world.write, with: { world: WORLD, line: fetch } }
          - id: go
            uses: approval
            with: { message: "Load {{ steps.fetch.line }}?", approvers: [group:dba], onReject: fetch, expiresAfter: 30m, onExpiry: reject }
          - { id: load, uses: world.destroy, with: { target: thing, world: WORLD } }
          - { id: check, uses: world.write, ifFails: continue, with: { world: WORLD, line: check } }
        rescue:
          - { id: put_back, uses: world.write, with: { world: WORLD, line: back } }
        """;

    [Fact]
    public async Task Steps_without_a_script_succeed_and_nothing_is_touched()
    {
        using var stage = new Stage(Restore);
        var played = await stage.Holds("""
              - name: all is well
                expect: { outcome: succeeded, ran: [fetch, go, load, check], notRun: [put_back] }
            """);
        Assert.Equal(Outcome.Succeeded, played.Single().State.Ended!.Outcome);
    }

    [Fact]
    public async Task A_failing_step_ends_the_run_through_its_rescue()
    {
        using var stage = new Stage(Restore);
        await stage.Holds("""
              - name: the load fails
                results: { load: { fails: { class: invalid-data, message: half of it } } }
                expect: { outcome: failed, ran: [load, put_back], notRun: [check] }
              - name: a failure that is let pass
                results: { check: { fails: { class: missing } } }
                expect: { outcome: succeeded, notRun: [put_back] }
            """);
    }

    [Fact]
    public async Task A_rejection_inside_a_sub_runbook_goes_back_to_the_step_of_that_runbook()
    {
        using var stage = new Stage("""
            steps:
              - { id: fetch, uses: world.write, with: { world: WORLD, line: outer } }
              - { id: part, uses: runbook, with: { file: part.yaml } }
            """);
        stage.Write("part.yaml", $$"""
            apiVersion: helix.runbooks/v1
            name: part
            title: A part
            steps:
              - { id: fetch, uses: world.write, with: { world: {{stage.World}}, line: inner } }
              - { id: go, uses: approval, with: { message: Go?, approvers: [group:dba], onReject: fetch } }
            """);
        await stage.Holds("""
              - name: refused once
                results: { part/go: [{ decision: reject, reason: too old }, { decision: approve }] }
                expect: { outcome: succeeded, ran: [fetch, part/fetch, part/go] }
            """);
    }

    [Fact]
    public async Task A_sub_runbook_whose_step_was_allowed_to_fail_has_its_outputs()
    {
        using var stage = new Stage("""
            steps:
              - { id: part, uses: runbook, with: { file: part.yaml } }
              - { id: tell, uses: world.write, with: { world: WORLD, line: "{{ steps.part.said }}" } }
            """);
        stage.Write("part.yaml", $$"""
            apiVersion: helix.runbooks/v1
            name: part
            title: A part
            steps:
              - { id: look, uses: world.write, ifFails: continue, with: { world: {{stage.World}}, line: a } }
            outputs: { said: "all of it" }
            """);
        await stage.Holds("""
              - name: allowed to fail
                results: { part/look: { fails: { class: missing } } }
                expect: { outcome: succeeded, ran: [part/look, tell] }
            """);
    }

    [Fact]
    public async Task A_rejection_goes_back_and_the_second_answer_counts()
    {
        using var stage = new Stage(Restore);
        var played = await stage.Holds("""
              - name: rejected once
                results:
                  go:
                    - { decision: reject, by: carol, reason: too old }
                    - { decision: approve, by: bob }
                expect: { outcome: succeeded, ran: [load] }
            """);
        Assert.Equal(2, played.Single().State.Round);
    }

    [Fact]
    public async Task A_rejection_each_time_uses_up_the_rounds()
    {
        using var stage = new Stage(Restore);
        var played = await stage.Holds("""
              - name: never
                results: { go: { decision: reject } }
                expect: { outcome: rejected, notRun: [load] }
            """);
        Assert.Equal(3, played.Single().State.Round);
    }

    [Fact]
    public async Task Time_passes_at_once()
    {
        using var stage = new Stage("""
            steps:
              - { id: pause, uses: wait, with: { for: 5d } }
              - { id: try_it, uses: world.write, retry: { attempts: 3, delay: 1h }, with: { world: WORLD, line: a } }
            """);
        var played = await stage.Holds("""
              - name: the third attempt
                results:
                  try_it: [{ fails: { class: transient } }, { fails: { class: transient } }, { outputs: { line: b } }]
                expect: { outcome: succeeded }
              - name: no attempt
                results: { try_it: { fails: { class: transient } } }
                expect: { outcome: failed, ran: [try_it] }
            """);
        Assert.Equal([3, 3], played.Select(p => p.State.Step("try_it")!.Attempts.Count));
        Assert.True(played[0].State.EndedAt - played[0].State.StartedAt > TimeSpan.FromDays(5));
    }

    [Fact]
    public async Task An_expired_gate_lets_nothing_through()
    {
        using var stage = new Stage(Restore);
        await stage.Holds("""
              - name: nobody answers
                results: { go: { decision: expire } }
                expect: { outcome: rejected, notRun: [load] }
            """);
    }

    [Fact]
    public async Task A_parked_gate_is_asked_anew()
    {
        using var stage = new Stage("""
            steps:
              - { id: go, uses: approval, with: { message: Go?, approvers: [group:dba], expiresAfter: 30m } }
              - { id: load, uses: world.destroy, with: { target: thing, world: WORLD } }
            """);
        await stage.Holds("""
              - name: asked twice
                results: { go: [{ decision: expire }, { decision: approve }] }
                expect: { outcome: succeeded, ran: [load] }
            """);
    }

    [Fact]
    public async Task What_was_known_of_a_failure_stays_known_when_nobody_answers_for_it()
    {
        using var stage = new Stage("""
            steps:
              - { id: load, uses: world.write, ifFails: ask, with: { world: WORLD, line: load } }
            """);
        var played = await stage.Holds("""
              - name: nobody answers
                results: { load: [{ fails: { class: invalid-data, message: half of it } }, { decision: expire }] }
                expect: { outcome: failed }
            """);
        var load = played.Single().State.Steps["load"];
        Assert.Equal(FailureClass.InvalidData, load.Failure);
        Assert.Matches("^half of it nobody answered before ", load.Message);
    }

    [Fact]
    public async Task Escalation_asks_others()
    {
        using var stage = new Stage("""
            steps:
              - { id: go, uses: approval, with: { message: Go?, approvers: [group:dba], expiresAfter: 30m, onExpiry: escalate, escalateTo: "group:leads" } }
            """);
        await stage.Holds("""
              - name: the lead answers
                results: { go: [{ decision: expire }, { decision: approve, by: dora }] }
                expect: { outcome: succeeded }
            """);
    }

    [Fact]
    public async Task A_quorum_is_made_of_different_people()
    {
        using var stage = new Stage("""
            steps:
              - { id: go, uses: approval, with: { message: Go?, approvers: [group:dba, group:leads], minimum: 2, oneFromEach: [group:leads] } }
            """);
        var played = await stage.Holds("  - { name: two people, expect: { outcome: succeeded } }\n");
        Assert.Equal(2, played.Single().State.Questions.Values.Single().Answers.Select(a => a.By.Account).Distinct().Count());
    }

    [Fact]
    public async Task An_answer_that_would_be_refused_is_reported_at_its_place()
    {
        using var stage = new Stage(Restore);
        var (_, played) = await stage.Play("""
              - name: a stranger
                results: { go: { decision: approve, by: mallory } }
                expect: { outcome: succeeded }
            """);
        var missed = played.Single().Missed.Single();
        Assert.Equal(6, missed.Position.Line);
        Assert.Contains("mallory is not among those who are asked", missed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_step_asks_a_person_who_retries_skips_or_does_it()
    {
        using var stage = new Stage("""
            steps:
              - { id: one, uses: world.write, with: { world: WORLD, line: a } }
              - { id: two, uses: world.write, with: { world: WORLD, line: "{{ steps.one.line }}" } }
            """);
        var played = await stage.Holds("""
              - name: retried
                attended: true
                results: { one: [{ fails: { class: conflict } }, { decision: retry, by: alice, reason: freed }] }
                expect: { outcome: succeeded }
              - name: by hand
                attended: true
                results: { one: [{ fails: { class: conflict } }, { decision: done, reason: typed it, outputs: { line: z, lines: 3 } }] }
                expect: { outcome: succeeded }
              - name: given up
                attended: true
                results: { one: { fails: { class: conflict } } }
                expect: { outcome: failed, notRun: [two] }
              - name: gone back
                attended: true
                results: { two: [{ fails: { class: conflict } }, { decision: go-back, to: one, reason: again }] }
                expect: { outcome: succeeded }
              - name: cancelled
                attended: true
                results: { two: [{ fails: { class: conflict } }, { decision: cancel }] }
                expect: { outcome: cancelled }
            """);
        Assert.Equal("z", played[1].State.Step("two")!.With!["line"]!.ToString());
        Assert.Equal(2, played[3].State.Round);
    }

    [Fact]
    public async Task Elements_have_scripts_of_their_own_or_one_for_all()
    {
        using var stage = new Stage("""
            steps:
              - id: each
                forEach: [a, b, c]
                as: letter
                maxParallel: 3
                failFast: false
                steps:
                  - { id: copy, uses: world.write, retry: { attempts: 2 }, with: { world: WORLD, line: "{{ letter }}" } }
            """);
        var played = await stage.Holds("""
              - name: each fails once
                results: { "each[]/copy": [{ fails: { class: transient } }] }
                expect: { outcome: succeeded, ran: ["each[]/copy", "each[2]/copy"], notRun: ["each[3]/copy"] }
              - name: one fails
                results: { "each[1]/copy": { fails: { class: conflict } } }
                expect: { outcome: failed }
            """);
        Assert.All(Enumerable.Range(0, 3), i => Assert.Equal(2, played[0].State.Step($"each[{i}]/copy")!.Attempts.Count));
    }

    [Fact]
    public async Task What_is_not_as_expected_is_named_with_its_place()
    {
        using var stage = new Stage(Restore);
        var (_, played) = await stage.Play("""
              - name: wrong
                expect:
                  outcome: failed
                  ran: [put_back]
                  skipped: [load]
                  notRun: [fetch]
            """);
        Assert.Equal([(7, "outcome"), (8, "ran"), (9, "skipped"), (10, "not-run")], played.Single().Missed.Select(m => (m.Position.Line, m.Rule)));
    }

    [Fact]
    public async Task A_result_that_nothing_came_to_is_a_warning()
    {
        using var stage = new Stage(Restore);
        var (_, played) = await stage.Play("""
              - name: the rescue is never needed
                results: { put_back: { fails: { class: bug } } }
                expect: { outcome: succeeded }
            """);
        Assert.Equal("unused-result", played.Single().Idle.Single().Rule);
    }
}
