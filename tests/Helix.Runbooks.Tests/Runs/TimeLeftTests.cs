using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Xunit;

namespace Helix.Runbooks.Tests.Runs;

/// <summary>What experience expects of the time that is left.</summary>
public sealed class TimeLeftTests : IDisposable
{
    readonly RunHarness _h = new();

    public void Dispose() => _h.Dispose();

    [Theory]
    [InlineData("last", 8 + 30 + 1 + 2)]
    [InlineData("both", 8 + 30)]
    [InlineData("short", 8 + 5)]
    [InlineData("tell", 8 + 5 + 3)]
    [InlineData("tidy", 8 + 30 + 1)]
    [InlineData("stop", 8)]
    public void Branches_take_as_long_as_the_longest_and_those_beside_the_end_of_the_clock_are_not_waited_for(string recoveredAt, int minutes) =>
        Expects(minutes, false, $$"""
            objectives: { rto: 4h, recoveredAt: {{recoveredAt}} }
            steps:
              - { id: stop, uses: world.write, with: { world: WORLD, line: a } }
              - id: both
                parallel:
                  - - { id: short, uses: world.write, with: { world: WORLD, line: a } }
                    - { id: tell, uses: world.write, with: { world: WORLD, line: a } }
                  - - { id: long, uses: world.write, with: { world: WORLD, line: a } }
                finally:
                  - { id: tidy, uses: world.write, with: { world: WORLD, line: a } }
              - { id: last, uses: world.write, with: { world: WORLD, line: a } }
            """, ("stop", 8), ("short", 5), ("tell", 3), ("long", 30), ("tidy", 1), ("last", 2));

    [Theory]
    [InlineData("[a, b, c, d, e]", "maxParallel: 1", 5 * 10, false)]
    [InlineData("[a, b, c, d, e]", "maxParallel: 2", 3 * 10, false)]
    [InlineData("[a, b, c, d, e]", "maxParallel: 9", 10, false)]
    [InlineData("[]", "maxParallel: 1", 0, false)]
    [InlineData("[\"{{ run.id }}\", b]", "maxParallel: 1", 2 * 10, false)]
    [InlineData("\"{{ vars.shards }}\"", "maxParallel: 1", 3 * 10, false)]
    [InlineData("\"{{ steps.find.line }}\"", "maxParallel: 1", 10, true)]
    [InlineData("\"{{ steps.find.line ?? vars.shards }}\"", "maxParallel: 1", 10, true)]
    [InlineData("\"{{ steps.find.line }}\"", "when: \"{{ run.mode == 'live' }}\"", 10, false)]
    public void A_loop_takes_its_rounds_as_many_at_a_time_as_it_allows_and_at_least_one_where_nobody_knows_how_many(string list, string more, int minutes, bool isLeast) =>
        Expects(minutes + 4, isLeast, $$$"""
            objectives: { rto: 4h }
            steps:
              - id: all
                forEach: [a, b]
                as: x
                steps:
                  - { id: find, uses: world.write, with: { world: WORLD, line: "{{ x }}" } }
              - id: each
                forEach: {{{list}}}
                {{{more}}}
                steps:
                  - { id: copy, uses: world.write, with: { world: WORLD, line: a } }
                  - { id: check, uses: world.write, with: { world: WORLD, line: a } }
              - { id: last, uses: world.write, with: { world: WORLD, line: a } }
            """, ("all[0]/find", 1), ("each[0]/copy", 7), ("each[0]/check", 3), ("last", 2));

    [Theory]
    [InlineData("copy", 1, 10 + 23 + 7)]
    [InlineData("copy", 2, 20)]
    [InlineData("check", 2, 23)]
    [InlineData("each", 2, 23)]
    public void A_round_takes_what_the_same_one_took_before_and_the_clock_ends_within_the_last(string recoveredAt, int maxParallel, int minutes) =>
        Expects(minutes, false, $$$"""
            objectives: { rto: 4h, recoveredAt: {{{recoveredAt}}} }
            steps:
              - id: each
                forEach: [a, b, c]
                maxParallel: {{{maxParallel}}}
                steps:
                  - { id: copy, uses: world.write, with: { world: WORLD, line: a } }
                  - { id: check, uses: world.write, with: { world: WORLD, line: a } }
              - { id: last, uses: world.write, with: { world: WORLD, line: a } }
            """, ("each[0]/copy", 7), ("each[1]/copy", 20), ("each[0]/check", 3), ("last", 2));

    [Fact]
    public void A_step_that_nobody_knows_the_time_of_makes_it_the_least_wherever_it_stands() =>
        Expects(5, true, """
            objectives: { rto: 4h }
            steps:
              - id: both
                parallel:
                  - - { id: known, uses: world.write, with: { world: WORLD, line: a } }
                  - - id: each
                      forEach: [a]
                      steps:
                        - { id: unknown, uses: world.write, with: { world: WORLD, line: a } }
            """, ("known", 5));

    [Fact]
    public void A_sub_runbook_counts_with_its_branches_its_loops_and_what_it_does_finally()
    {
        _h.Write("sub.yaml", $$$"""
            apiVersion: helix.runbooks/v1
            name: sub
            title: A part
            steps:
              - id: both
                parallel:
                  - [{ id: left, uses: world.write, with: { world: {{{_h.World}}}, line: a } }]
                  - - id: each
                      forEach: [a, b]
                      steps:
                        - { id: right, uses: world.write, with: { world: {{{_h.World}}}, line: a } }
            finally:
              - { id: tidy, uses: world.write, with: { world: {{{_h.World}}}, line: a } }
            """);
        Expects(2 * 4 + 1 + 2, false, """
            objectives: { rto: 4h }
            steps:
              - { id: part, uses: runbook, with: { file: sub.yaml } }
              - { id: last, uses: world.write, with: { world: WORLD, line: a } }
            """, ("part/left", 5), ("part/each[0]/right", 4), ("part/tidy", 1), ("last", 2));
    }

    [Fact]
    public async Task What_is_done_of_a_loop_takes_no_more_time()
    {
        var plan = _h.Plan("""
            objectives: { rto: 4h }
            steps:
              - id: each
                forEach: [a, b, c]
                steps:
                  - { id: copy, uses: world.write, with: { world: WORLD, line: a } }
                  - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
            """);
        var waiting = (await _h.Drive(_h.Start(plan))).State;
        Assert.Equal(TimeSpan.FromMinutes(2 * 7), Of(waiting, plan, ("each[0]/copy", 7)).Left);
    }

    void Expects(int minutes, bool isLeast, string body, params (string Path, int Minutes)[] usually)
    {
        var plan = _h.Plan(body, environment: "vars: { shards: [a, b, c] }");
        Assert.Equal((TimeSpan.FromMinutes(minutes), isLeast), Of(_h.Engine.State(_h.Start(plan)), plan, usually));
    }

    (TimeSpan? Left, bool IsLeast) Of(RunState state, Helix.Runbooks.Plans.Plan plan, params (string Path, int Minutes)[] usually)
    {
        var typical = usually.ToDictionary(u => u.Path, u => TimeSpan.FromMinutes(u.Minutes));
        var clocks = Clocks.Of(state, plan, _h.Engine.Catalog, state.StartedAt, path => typical.TryGetValue(path, out var usual) ? usual : null);
        return (clocks.Eta - state.StartedAt, clocks.EtaIsLeast);
    }
}
