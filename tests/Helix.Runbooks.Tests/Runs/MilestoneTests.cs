using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Helix.Runbooks.Tests.Runs;

/// <summary>Objectives that name a block, or a step within loops.</summary>
public sealed class MilestoneTests : IDisposable
{
    readonly RunHarness _h = new();

    public void Dispose() => _h.Dispose();

    const string Blocks = """
        objectives: { rto: 1h, recoveredAt: NAMED }
        steps:
          - id: pair
            steps:
              - { id: one, uses: world.write, with: { world: WORLD, line: one } }
              - { id: warn, uses: world.write, ifFails: continue, with: { world: WORLD, line: warn, failFirst: 1, failure: conflict } }
              - { id: two, uses: world.write, with: { world: WORLD, line: two } }
              - { id: never, uses: world.write, when: "{{ run.mode == 'drill' }}", with: { world: WORLD, line: never } }
            finally:
              - { id: tidy, uses: world.write, with: { world: WORLD, line: tidy } }
          - id: both
            parallel:
              - [{ id: left, uses: world.write, with: { world: WORLD, line: left } }]
              - [{ id: right, uses: world.write, with: { world: WORLD, line: right } }]
          - id: each
            forEach: [a, b, c]
            as: x
            maxParallel: 2
            steps:
              - { id: say, uses: world.write, with: { world: WORLD, line: "{{ x }}" } }
              - { id: seen, uses: world.write, when: "{{ x != 'c' }}", with: { world: WORLD, line: "seen {{ x }}" } }
          - { id: part, uses: runbook, with: { file: sub.yaml } }
          - { id: last, uses: world.write, with: { world: WORLD, line: last } }
        """;

    [Theory]
    [InlineData("pair", "two")]
    [InlineData("both", "left", "right")]
    [InlineData("each", "each[0]/seen", "each[1]/seen", "each[2]/say")]
    [InlineData("say", "each[0]/say", "each[1]/say", "each[2]/say")]
    [InlineData("seen", "each[0]/seen", "each[1]/seen")]
    [InlineData("part", "part/inner[1]/does")]
    public async Task A_run_has_recovered_when_the_last_of_what_is_named_has_succeeded(string named, params string[] last)
    {
        _h.Write("sub.yaml", $$$"""
            apiVersion: helix.runbooks/v1
            name: sub
            title: A part
            steps:
              - id: inner
                forEach: [a, b]
                steps:
                  - { id: does, uses: world.write, with: { world: {{{_h.World}}}, line: "{{ item }}" } }
            """);
        var ended = await _h.Run(Blocks.Replace("NAMED", named, StringComparison.Ordinal));
        Assert.Equal(0, ended.ExitCode);
        Assert.Equal(last.Max(p => ended.State.Step(p)!.EndedAt) - ended.State.Started.DeclaredAt, ended.State.Ended!.Rta);
        Assert.True(ended.State.Ended.ObjectivesMet);
    }

    [Theory]
    [InlineData("each", "failFirst: 0", "[]")]
    [InlineData("say", "failFirst: 0", "[]")]
    [InlineData("each", "failFirst: 1", "[a, b]")]
    [InlineData("say", "failFirst: 1", "[a, b]")]
    public async Task Nothing_is_measured_when_a_round_failed_or_there_was_none(string named, string fails, string list)
    {
        var ended = await _h.Run($$$"""
            objectives: { rto: 1h, recoveredAt: {{{named}}} }
            steps:
              - id: each
                ifFails: continue
                forEach: {{{list}}}
                failFast: false
                steps:
                  - { id: say, uses: world.write, with: { world: WORLD, line: same, {{{fails}}}, failure: conflict } }
            """);
        Assert.Equal(0, ended.ExitCode);
        Assert.Equal((null, null), (ended.State.Ended!.Rta, ended.State.Ended.ObjectivesMet));
    }

    [Fact]
    public async Task A_block_that_is_half_done_has_not_recovered_the_run()
    {
        var waiting = await _h.Run("""
            objectives: { rto: 1h, recoveredAt: pair }
            steps:
              - id: pair
                steps:
                  - { id: one, uses: world.write, with: { world: WORLD, line: one } }
                  - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
            """);
        Assert.Null(Measured(waiting.State).RecoveredAt);
        _h.Answer(waiting.State.Run, RunHarness.Bob, "approve");
        var ended = await _h.Drive(waiting.State.Run);
        Assert.Equal(ended.State.Step("go")!.EndedAt, Measured(ended.State).RecoveredAt);
    }

    [Theory]
    [InlineData("strike", "pull")]
    [InlineData("pull", "pull")]
    [InlineData("hit", "each[0]/hit")]
    [InlineData("begin", "begin")]
    public async Task The_clocks_begin_with_the_first_of_what_is_named_that_does_something(string named, string first)
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 2, 0, 0, TimeSpan.Zero));
        using var h = new RunHarness(time);
        var run = (await h.Drive(h.Start(h.Plan($$"""
            objectives: { rto: 1h, failedAt: {{named}}, recoveredAt: back }
            steps:
              - id: strike
                steps:
                  - { id: begin, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
                  - { id: pull, uses: manual, with: { instructions: "Pull the plug." } }
                  - id: each
                    forEach: [a, b]
                    steps:
                      - { id: hit, uses: world.write, with: { world: WORLD, line: hit } }
              - { id: back, uses: world.write, with: { world: WORLD, line: back } }
            """)))).State.Run;
        for (var answers = 0; answers < 2; answers++)
        {
            time.Advance(TimeSpan.FromMinutes(10));
            Assert.True(h.Answer(run, RunHarness.Bob, answers == 0 ? "approve" : "done").Accepted);
            await h.Drive(run);
        }
        var state = h.Engine.State(run);
        Assert.Equal(state.Step(first)!.StartedAt, Clocks.Of(state, h.Engine.PlanOf(state), h.Engine.Catalog, time.GetUtcNow(), _ => null).BeganAt);
        Assert.Equal(state.Step("back")!.EndedAt - state.Step(first)!.StartedAt, state.Ended!.Rta);
    }

    [Fact]
    public async Task Only_a_step_that_is_named_is_a_verification_and_a_block_is_so_by_its_steps()
    {
        const string Named = """
            objectives: { rto: 1h, recoveredAt: NAMED }
            steps:
              - id: each
                forEach: [a, b]
                steps:
                  - { id: one, uses: world.write, with: { world: WORLD, line: one, takes: 20ms } }
            """;
        var step = (await _h.Run(Named.Replace("NAMED", "one", StringComparison.Ordinal))).State;
        Assert.Equal(Measured(step).Machine, Measured(step).Verification);
        var block = (await _h.Run(Named.Replace("NAMED", "each", StringComparison.Ordinal))).State;
        Assert.Equal(TimeSpan.Zero, Measured(block).Verification);
    }

    Clocks Measured(RunState state) => Clocks.Of(state, _h.Engine.PlanOf(state), _h.Engine.Catalog, _h.Engine.Time.GetUtcNow(), _ => null);
}
