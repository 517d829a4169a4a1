using Helix.Runbooks.Tests.Cli;

namespace Helix.Runbooks.Tests.Simulations;

public sealed class CoverageTests
{
    const string Runbook = """
        inputs:
          loud: { type: boolean, default: false }
          hosts: { type: choice, choices: [none, two], default: two }
        steps:
          - { id: tell, uses: world.write, when: "{{ inputs.loud }}", with: { world: WORLD, line: a } }
          - { id: look, uses: world.write, ifFails: continue, with: { world: WORLD, line: b } }
          - { id: go, uses: approval, with: { message: Go?, approvers: [group:dba] } }
          - { id: back, uses: approval, with: { message: Sure?, approvers: [group:dba], onReject: look } }
          - id: each
            forEach: [a, b]
            steps:
              - { id: copy, uses: world.write, with: { world: WORLD, line: c } }
        rescue:
          - { id: tidy, uses: world.write, with: { world: WORLD, line: d } }
        """;

    [Fact]
    public async Task The_branches_of_a_runbook_are_named_and_those_never_taken_too()
    {
        using var stage = new Stage(Runbook);
        var coverage = await stage.Covered("  - { name: plain, expect: { outcome: succeeded } }\n");
        Assert.Equal(
            [("tell", "when true", false), ("tell", "when false", true), ("look", "reached", true), ("look", "fails, and the run goes on", false),
             ("go", "approved", true), ("go", "rejected", false), ("back", "approved", true), ("back", "rejected, back to look", false),
             ("each", "some elements", true), ("each[]/copy", "reached", true), ("tidy", "reached", false)],
            coverage.Branches.Select(b => (b.Path, b.What, b.Taken)));
        Assert.Equal(8, coverage.Untaken.First().Position.Line);
    }

    [Fact]
    public async Task Scenarios_together_take_every_branch()
    {
        using var stage = new Stage(Runbook);
        var coverage = await stage.Covered("""
              - { name: plain, expect: { outcome: succeeded } }
              - { name: loud, inputs: { loud: true }, expect: { outcome: succeeded } }
              - { name: no, results: { go: { decision: reject }, look: { fails: { class: missing } } }, expect: { outcome: rejected, ran: [tidy] } }
              - { name: back, results: { back: [{ decision: reject }] }, expect: { outcome: succeeded } }
            """);
        Assert.Empty(coverage.Untaken);
    }

    [Fact]
    public async Task A_loop_over_a_list_that_steps_find_has_none_and_some()
    {
        using var stage = new Stage("""
            steps:
              - { id: find, uses: world.list, with: { world: WORLD } }
              - id: each
                forEach: "{{ steps.find.items }}"
                steps:
                  - { id: copy, uses: world.write, with: { world: WORLD, line: c } }
            """);
        var coverage = await stage.Covered("""
              - { name: none, expect: { outcome: succeeded, notRun: ["each[]/copy"] } }
              - { name: some, results: { find: { outputs: { items: [x, y] } } }, expect: { outcome: succeeded, ran: ["each[1]/copy"] } }
            """);
        Assert.Empty(coverage.Untaken);
    }

    [Fact]
    public async Task The_command_ends_with_1_when_a_branch_or_an_expectation_is_missed()
    {
        using var helix = new HelixHere();
        helix.Write("environments/here.yaml", "apiVersion: helix.runbooks/v1\nname: here\ntargets: {}\n");
        helix.Write("pause.yaml", "apiVersion: helix.runbooks/v1\nname: pause\ntitle: Pause\ninputs:\n  long: { type: boolean, default: false }\nsteps:\n  - { id: short, uses: wait, with: { for: 1s } }\n  - { id: more, uses: wait, when: \"{{ inputs.long }}\", with: { for: 9d } }\n");
        const string Head = "apiVersion: helix.runbooks/v1\nrunbook: ../pause.yaml\nenvironment: ../environments/here.yaml\nscenarios:\n";
        var file = helix.Write("simulations/pause.yaml", Head + "  - { name: quick, expect: { outcome: succeeded, skipped: [more] } }\n");
        Assert.Equal(0, await helix.Run("simulate", file));
        Assert.Equal("1 scenario: all as expected.\n", helix.Error);
        Assert.Equal(1, await helix.Run("simulate", helix.Folder, "--coverage"));
        Assert.Contains("pause.yaml:8:5: more: no scenario takes the branch 'when true'.", helix.Out, StringComparison.Ordinal);
        helix.Write("simulations/pause.yaml", Head + "  - { name: quick, expect: { outcome: succeeded } }\n  - { name: long, inputs: { long: true }, expect: { outcome: succeeded } }\n");
        Assert.Equal(0, await helix.Run("simulate", file, "--coverage", "--json"));
        Assert.Empty(helix.Json["coverage"]![0]!["untaken"]!.AsArray());
        helix.Write("simulations/pause.yaml", Head + "  - { name: quick, expect: { outcome: failed } }\n");
        Assert.Equal(1, await helix.Run("simulate", file));
        Assert.Contains("simulations/pause.yaml:5:39: the run ended as succeeded (all steps are done), and failed was expected", helix.Out, StringComparison.Ordinal);
        Assert.Equal(0, await helix.Run("validate", helix.Folder));
    }
}
