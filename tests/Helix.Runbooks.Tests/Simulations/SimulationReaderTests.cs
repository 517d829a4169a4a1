namespace Helix.Runbooks.Tests.Simulations;

public sealed class SimulationReaderTests
{
    const string Runbook = """
        inputs:
          count: { type: number, required: true, maximum: 5 }
        steps:
          - { id: one, uses: world.write, with: { world: WORLD, line: a } }
          - { id: go, uses: approval, with: { message: Go?, approvers: [group:dba] } }
          - { id: pause, uses: wait, with: { for: 1s } }
          - id: each
            forEach: [a, b]
            steps:
              - { id: copy, uses: world.write, with: { world: WORLD, line: b } }
        """;

    [Theory]
    [InlineData("results: { two: { outputs: {} } }", "5:16: The runbook has no step 'two'.")]
    [InlineData("results: { one: { outputs: { lin: x } } }", "5:34: world.write has no 'lin'.")]
    [InlineData("results: { one: { outputs: { lines: many } } }", "5:41: 'lines' is 'many', and must be a whole number.")]
    [InlineData("results: { one: { fails: { class: broken } } }", "5:39: 'fails.class' is 'broken'")]
    [InlineData("results: { one: { fails: {} } }", "lacks 'class'")]
    [InlineData("results: { one: { fails: { class: bug }, outputs: {} } }", "An attempt that fails has no other result.")]
    [InlineData("results: { one: {} }", "This is no result")]
    [InlineData("results: { one: { decision: approve } }", "'approve' is no answer to what 'one' asks.")]
    [InlineData("results: { go: { outputs: {} } }", "'go' is answered by people.")]
    [InlineData("results: { go: { decision: retry } }", "'retry' is no answer to what 'go' asks.")]
    [InlineData("results: { one: { decision: go-back } }", "`to` names the step to go back to")]
    [InlineData("results: { one: { decision: go-back, to: none } }", "The runbook has no step 'none'.")]
    [InlineData("results: { one: { outputs: {}, by: bob } }", "'by' belongs to a decision, and this is none.")]
    [InlineData("results: { pause: { outputs: {} } }", "A wait has no result")]
    [InlineData("results: { each: { outputs: {} } }", "'each' is a block, and a step is needed here.")]
    [InlineData("result: {}", "The scenario has no 'result'.")]
    [InlineData("attended: yes", "5:15: 'attended' is 'yes', and must be true or false.")]
    public void Mistakes_of_a_scenario_are_reported_with_their_place(string line, string expected)
    {
        using var stage = new Stage(Runbook);
        var read = stage.Read($"  - name: a\n    {line}\n    inputs: {{ count: 1 }}\n    expect: {{ outcome: succeeded }}\n".Replace("  - name: a\n    ", "  - ", StringComparison.Ordinal).Replace("    expect", "    name: a\n    expect", StringComparison.Ordinal));
        Assert.Null(read.Value);
        Assert.Contains(expected, string.Join("\n", read.Problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("inputs: { count: 9 }", "outside")]
    [InlineData("inputs: { cuont: 1 }", "Did you mean 'count'?")]
    [InlineData("attended: true", "lacks 'count'")]
    public void Inputs_are_those_of_the_runbook(string line, string expected)
    {
        using var stage = new Stage(Runbook);
        var read = stage.Read($"  - name: a\n    {line}\n    expect: {{ outcome: succeeded }}\n");
        Assert.Null(read.Value);
        Assert.Contains(expected, string.Join("\n", read.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Expectations_name_steps_that_are_there()
    {
        using var stage = new Stage(Runbook);
        var read = stage.Read("  - { name: a, inputs: { count: 1 }, expect: { outcome: done, ran: [won], notRun: [each] } }\n");
        var all = string.Join("\n", read.Problems);
        Assert.Contains("must be one of succeeded, failed, cancelled, rejected", all, StringComparison.Ordinal);
        Assert.Contains("The runbook has no step 'won'.", all, StringComparison.Ordinal);
        Assert.Contains("'each' is a block", all, StringComparison.Ordinal);
    }

    [Fact]
    public void A_runbook_that_is_wrong_is_reported_with_its_own_places()
    {
        using var stage = new Stage("steps:\n  - { id: one, uses: world.wriet, with: {} }\n");
        var all = string.Join("\n", stage.Read("  - { name: a, expect: { outcome: succeeded } }\n").Problems);
        Assert.Contains("The runbook that is named here has errors.", all, StringComparison.Ordinal);
        Assert.Contains("book.yaml:5:", all, StringComparison.Ordinal);
    }
}
