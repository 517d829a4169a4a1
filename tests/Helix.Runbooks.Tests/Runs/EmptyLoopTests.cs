using Xunit;

namespace Helix.Runbooks.Tests.Runs;

/// <summary>A loop over nothing has run: what is put out in it are lists, and empty ones.</summary>
public sealed class EmptyLoopTests : IDisposable
{
    readonly RunHarness _h = new();

    public void Dispose() => _h.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Outputs_of_a_loop_without_elements_are_empty_lists(int maxParallel)
    {
        var plan = _h.Plan($$$"""
            steps:
              - id: each
                forEach: "{{ vars.none }}"
                as: x
                maxParallel: {{{maxParallel}}}
                steps:
                  - { id: say, uses: world.write, with: { world: WORLD, line: "{{ x }}" } }
                  - { id: ask, uses: approval, with: { message: "{{ x }}?", approvers: ["group:dba"] } }
              - id: again
                forEach: "{{ steps.say.line }}"
                as: y
                steps:
                  - { id: more, uses: world.write, with: { world: WORLD, line: "{{ y }}" } }
              - { id: after, uses: world.write, when: "{{ steps.say.succeeded && !steps.say.started }}", with: { world: WORLD, line: "{{ array.size steps.say.lines }} lines" } }
            outputs:
              all: "{{ steps.say.line }}"
              states: "{{ steps.say.status }}"
              decisions: "{{ steps.ask.decisions }}"
              more: "{{ steps.more.line }}"
            """, environment: "vars: { none: [] }");
        var ended = await _h.Drive(_h.Start(plan));
        Assert.True(ended.ExitCode == 0, ended.State.Ended?.Reason);
        Assert.Equal("all steps are done", ended.State.Ended!.Reason);
        Assert.Equal("""{"all":[],"states":[],"decisions":[],"more":[]}""", ended.State.Ended!.Outputs.ToJsonString());
        Assert.Equal(["0 lines"], _h.Lines);
    }

    [Fact]
    public async Task Outputs_of_sub_runbooks_and_of_loops_in_a_loop_without_elements_are_empty_lists()
    {
        _h.Write("sub.yaml", $$$"""
            apiVersion: helix.runbooks/v1
            name: sub
            title: A part
            steps:
              - { id: one, uses: world.write, with: { world: {{{_h.World}}}, line: one } }
            outputs:
              said: "{{ steps.one.line }}"
            """);
        var plan = _h.Plan("""
            steps:
              - id: outer
                forEach: [a, b]
                as: x
                steps:
                  - id: inner
                    forEach: "{{ vars.none }}"
                    as: y
                    steps:
                      - { id: say, uses: world.write, with: { world: WORLD, line: "{{ y }}" } }
                      - { id: part, uses: runbook, with: { file: sub.yaml } }
            outputs:
              all: "{{ steps.say.line }}"
              said: "{{ steps.part.said }}"
            """, environment: "vars: { none: [] }");
        var ended = await _h.Drive(_h.Start(plan));
        Assert.Equal("all steps are done", ended.State.Ended!.Reason);
        Assert.Equal("""{"all":[[],[]],"said":[[],[]]}""", ended.State.Ended!.Outputs.ToJsonString());
    }

    [Fact]
    public async Task A_loop_that_was_skipped_has_put_out_nothing()
    {
        var ended = await _h.Run("""
            steps:
              - id: each
                when: "{{ run.mode == 'drill' }}"
                forEach: [a]
                as: x
                steps:
                  - { id: say, uses: world.write, with: { world: WORLD, line: "{{ x }}" } }
              - { id: after, uses: world.write, when: "{{ !steps.say.succeeded }}", with: { world: WORLD, line: after } }
            outputs:
              all: "{{ steps.say.line ?? 'nothing' }}"
            """);
        Assert.Equal("""{"all":"nothing"}""", ended.State.Ended!.Outputs.ToJsonString());
        Assert.Equal(["after"], _h.Lines);
    }
}
