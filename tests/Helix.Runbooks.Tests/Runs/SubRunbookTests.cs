using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Xunit;

namespace Helix.Runbooks.Tests.Runs;

/// <summary>What the steps after a sub-runbook see of it.</summary>
public sealed class SubRunbookTests : IDisposable
{
    readonly RunHarness _h = new();

    public void Dispose() => _h.Dispose();

    [Fact]
    public async Task A_sub_runbook_that_has_succeeded_says_so()
    {
        Sub("- { id: one, uses: world.write, with: { world: WORLD, line: one } }");
        Assert.Equal(0, (await _h.Run(Then("{ id: part, uses: runbook, with: { file: sub.yaml } }"))).ExitCode);
        Assert.Equal(["one", "succeeded true true none"], _h.Lines);
    }

    [Fact]
    public async Task A_sub_runbook_in_which_a_warning_was_given_has_succeeded()
    {
        Sub("- { id: one, uses: world.write, ifFails: continue, with: { world: WORLD, line: one, failFirst: 1, failure: auth } }");
        Assert.Equal(0, (await _h.Run(Then("{ id: part, uses: runbook, with: { file: sub.yaml } }"))).ExitCode);
        Assert.Equal(["succeeded true true none"], _h.Lines);
    }

    [Fact]
    public async Task A_sub_runbook_that_failed_says_so_and_why()
    {
        Sub("""
            - { id: warned, uses: world.write, ifFails: continue, with: { world: WORLD, line: warned, failFirst: 1, failure: auth } }
            - { id: bad, uses: world.write, with: { world: WORLD, line: bad, failFirst: 1, failure: conflict } }
            """);
        Assert.Equal(0, (await _h.Run(Then("{ id: part, uses: runbook, ifFails: continue, with: { file: sub.yaml } }"))).ExitCode);
        Assert.Equal(["failed true false conflict"], _h.Lines);
    }

    [Fact]
    public async Task A_sub_runbook_that_was_skipped_says_so()
    {
        Sub("- { id: one, uses: world.write, with: { world: WORLD, line: one } }");
        Assert.Equal(0, (await _h.Run(Then("{ id: part, uses: runbook, when: \"{{ run.mode == 'drill' }}\", with: { file: sub.yaml } }"))).ExitCode);
        Assert.Equal(["skipped false false none"], _h.Lines);
    }

    [Fact]
    public async Task A_sub_runbook_that_was_cut_short_between_two_steps_has_not_succeeded()
    {
        Sub("""
            - { id: one, uses: world.write, with: { world: WORLD, line: one } }
            - { id: two, uses: world.write, with: { world: WORLD, line: two } }
            """);
        var run = _h.Start(_h.Plan("steps:\n  - { id: part, uses: runbook, with: { file: sub.yaml } }\nrescue:\n" + Says));
        await _h.Engine.Drive(run, new DriveSettings { LetGo = () => _h.Lines.Count > 0 ? "enough" : null });
        _h.Engine.Cancel(run, RunHarness.Bob, "false alarm");
        Assert.Equal(Outcome.Cancelled, (await _h.Drive(run)).State.Ended!.Outcome);
        Assert.Equal(["one", "failed true false cancelled"], _h.Lines);
    }

    [Fact]
    public async Task A_sub_runbook_in_a_loop_says_it_for_each_element()
    {
        Sub("- { id: one, uses: world.write, when: \"{{ inputs.name != 'c' }}\", with: { world: WORLD, line: \"{{ inputs.name }}\", failFirst: 1, failure: conflict } }", "inputs: { name: { type: string, required: true } }");
        var ended = await _h.Run("""
            steps:
              - id: each
                forEach: [a, c]
                as: x
                failFast: false
                steps:
                  - { id: part, uses: runbook, ifFails: continue, with: { file: sub.yaml, inputs: { name: "{{ x }}" } } }
            outputs:
              status: "{{ steps.part.status }}"
              failure: "{{ steps.part.failure }}"
              succeeded: "{{ steps.part.succeeded }}"
            """);
        Assert.Equal(0, ended.ExitCode);
        Assert.Equal("""{"status":["failed","succeeded"],"failure":["conflict","none"],"succeeded":false}""", ended.State.Ended!.Outputs.ToJsonString());
    }

    const string Says = "  - { id: says, uses: world.write, with: { world: WORLD, line: \"{{ steps.part.status }} {{ steps.part.started }} {{ steps.part.succeeded }} {{ steps.part.failure }}\" } }\n";

    static string Then(string part) => $"steps:\n  - {part}\n{Says}";

    void Sub(string steps, string head = "") => _h.Write("sub.yaml",
        $"apiVersion: helix.runbooks/v1\nname: sub\ntitle: A part\n{head}\nsteps:\n  {steps.Replace("\n", "\n  ", StringComparison.Ordinal).Replace("WORLD", _h.World, StringComparison.Ordinal)}\n");
}
