using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Cli;
using Mode = Helix.Runbooks.Plans.Mode;

namespace Helix.Runbooks.Tests.Runs;

/// <summary>Lists of the wrong things, or of too many; targets of another environment.</summary>
public sealed class WrongListTests
{
    const string Loop = """
        inputs:
          sites: { type: string, pattern: "(site-[0-9]+)( site-[0-9]+)*", required: true }
        steps:
          - { id: go, uses: approval, with: { message: "Remove {{ inputs.sites }}?", approvers: ["group:dba"] } }
          - id: each
            forEach: "{{ inputs.sites | string.split ' ' }}"
            as: site
            atMost: 10
            steps:
              - { id: remove, uses: world.destroy, with: { world: WORLD, target: thing } }
        """;

    [Fact]
    public async Task PM_03_A_list_that_is_longer_than_the_runbook_allows_removes_nothing()
    {
        using var h = new RunHarness();
        var ended = await Approved(h, string.Join(' ', Enumerable.Range(1, 883).Select(i => $"site-{i}")));
        Assert.Equal(Outcome.Failed, ended.Ended!.Outcome);
        Assert.Contains("has 883 elements, and at most 10 are allowed; nothing was done", ended.Ended.Reason, StringComparison.Ordinal);
        Assert.Empty(h.Lines);
    }

    [Fact]
    public async Task PM_03_A_list_that_is_not_too_long_is_worked_on()
    {
        using var h = new RunHarness();
        Assert.Equal(Outcome.Succeeded, (await Approved(h, "site-1 site-2")).Ended!.Outcome);
        Assert.Equal(2, h.Lines.Count);
    }

    [Fact]
    public void PM_03_Ids_of_another_type_are_refused_before_a_run_begins()
    {
        using var h = new RunHarness();
        Assert.Contains("does not match", Assert.Throws<RunbookException>(() => h.Plan(Loop, inputs: new JsonObject { ["sites"] = "app-1 app-2" })).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("", true), InlineData("atMost: 3, ", false)]
    public async Task PM_03_A_loop_that_destroys_without_a_cap_is_a_warning(string cap, bool warned)
    {
        using var helix = new HelixHere();
        var file = helix.Write("loop.yaml", $$$"""
            apiVersion: helix.runbooks/v1
            name: loop
            title: Loop
            steps:
              - { id: list, uses: command.run, effect: reads, with: { argv: [ls], outputs: { all: { type: list, from: lines } } } }
              - { id: go, uses: approval, with: { message: Go?, approvers: [ann] } }
              - { forEach: "{{ steps.list.all }}", {{{cap}}}steps: [{ id: remove, uses: docker.volume-remove, with: { target: stack, volume: data } }] }
            """);
        Assert.Equal(0, await helix.Run("validate", file));
        Assert.Equal(warned, helix.Out.Contains("however long that turns out to be", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("label: production", "", "says of itself that it belongs to 'production', and this is 'env'")]
    [InlineData("label: production", ", identity: { place: here, label: staging }", "says of itself that it belongs to 'production', and this is 'staging'")]
    [InlineData("label: ''", ", identity: { place: here, label: staging }", "does not say to which environment it belongs, and it must be 'staging'")]
    public async Task PM_06_A_target_of_another_environment_is_refused_before_anything_is_done(string says, string identity, string words)
    {
        using var h = new RunHarness();
        foreach (var mode in (Mode[])[Mode.Live, Mode.Drill])
        {
            var ended = (await h.Drive(h.Start(h.Plan(Destroy, $"  thing: {{ kind: thing, at: here, {says}{identity} }}", mode)))).State;
            Assert.Equal(Outcome.Failed, ended.Ended!.Outcome);
            Assert.Contains(words, ended.Ended.Reason, StringComparison.Ordinal);
            Assert.Empty(h.Lines);
        }
    }

    [Fact]
    public async Task PM_06_A_label_that_changes_after_the_pre_flight_is_seen_at_the_gate()
    {
        using var h = new RunHarness();
        var label = Path.Combine(h.Folder, "label");
        var run = h.Start(h.Plan(Destroy, $"  thing: {{ kind: thing, at: here, label: \"file:{label}\" }}"));
        Assert.Equal(4, (await h.Drive(run)).ExitCode);
        await File.WriteAllTextAsync(label, "production");
        h.Answer(run, RunHarness.Bob, "approve");
        var refused = (await h.Drive(run)).State.Step("load")!;
        Assert.Equal("identity", refused.Gate);
        Assert.Contains("belongs to 'production'", refused.Message, StringComparison.Ordinal);
        Assert.Empty(h.Lines);
    }

    [Fact]
    public async Task PM_06_A_target_that_says_the_right_environment_or_nothing_is_taken()
    {
        using var h = new RunHarness();
        foreach (var label in (string[])["env", ""])
        {
            var run = h.Start(h.Plan(Destroy, $"  thing: {{ kind: thing, at: here, label: '{label}' }}"));
            await h.Drive(run);
            h.Answer(run, RunHarness.Bob, "approve");
            Assert.Equal(Outcome.Succeeded, (await h.Drive(run)).State.Ended!.Outcome);
        }
    }

    const string Destroy = """
        steps:
          - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
          - { id: load, uses: world.destroy, with: { world: WORLD, target: thing } }
        """;

    static async Task<RunState> Approved(RunHarness h, string sites)
    {
        var run = h.Start(h.Plan(Loop, inputs: new JsonObject { ["sites"] = sites }));
        await h.Drive(run);
        h.Answer(run, RunHarness.Bob, "approve");
        return (await h.Drive(run)).State;
    }
}
