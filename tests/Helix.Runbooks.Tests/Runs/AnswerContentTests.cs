using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Xunit;

namespace Helix.Runbooks.Tests.Runs;

/// <summary>What an answer brings along is looked at before it is recorded: a run whose record holds an answer that nobody can follow could never go on nor end.</summary>
public sealed class AnswerContentTests
{
    const string Failing = """
        inputs:
          count: { type: number, default: 1 }
        steps:
          - { id: first, uses: world.write, with: { world: WORLD, line: first } }
          - { id: bad, uses: world.write, ifFails: ask, with: { world: WORLD, line: bad, failFirst: 1, failure: conflict } }
          - { id: use, uses: world.write, with: { world: WORLD, line: "after {{ steps.bad.lines }}" } }
        """;

    public static TheoryData<string, Decided> Refused => new()
    {
        { "There is no step 'frist' to go back to", new Decided { Question = "", Choice = "go-back", To = "frist", Reason = "typed wrongly" } },
        { "'use' would not do 'bad' again", new Decided { Question = "", Choice = "go-back", To = "use", Reason = "forward" } },
        { "There is no input 'bogus'", new Decided { Question = "", Choice = "go-back", To = "first", Reason = "again", Inputs = new JsonObject { ["bogus"] = "1" } } },
        { "Input 'count' is \"many\", and a number is due", new Decided { Question = "", Choice = "go-back", To = "first", Reason = "again", Inputs = new JsonObject { ["count"] = "many" } } },
        { "world.write has no option 'lime'. Did you mean 'line'?", new Decided { Question = "", Choice = "retry", With = new JsonObject { ["lime"] = "x" } } },
        { "the option 'failFirst' of world.write must be a whole number", new Decided { Question = "", Choice = "retry", With = new JsonObject { ["failFirst"] = "none" } } },
        { "the step 'bad' puts out no 'liens'. Did you mean 'lines'?", new Decided { Question = "", Choice = "done", Outputs = new JsonObject { ["liens"] = 2 } } },
        { "the output 'lines' of 'bad' must be a whole number", new Decided { Question = "", Choice = "done", Outputs = new JsonObject { ["lines"] = "two" } } },
        { "later steps use steps.bad.lines", new Decided { Question = "", Choice = "done" } },
    };

    [Theory, MemberData(nameof(Refused))]
    public async Task An_answer_that_no_driver_could_follow_is_refused_and_the_question_stays(string why, Decided answer)
    {
        using var h = new RunHarness();
        var run = (await h.Run(Failing)).State.Run;
        var question = Assert.Single(h.Engine.State(run).OpenQuestions).Id;
        var result = h.Engine.Decide(run, RunHarness.Bob, answer with { Question = question });
        Assert.False(result.Accepted);
        Assert.Contains(why, result.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", result.Message, StringComparison.Ordinal);
        Assert.True(h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = question, Choice = "done", Outputs = new JsonObject { ["lines"] = 7 } }).Accepted);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
        Assert.Equal(["first", "after 7"], h.Lines);
    }

    [Fact]
    public async Task A_going_back_that_is_in_the_record_and_cannot_be_done_is_asked_anew_and_the_run_can_end()
    {
        using var h = new RunHarness();
        var run = (await h.Run(Failing)).State.Run;
        var question = Assert.Single(h.Engine.State(run).OpenQuestions).Id;
        h.Store.Append(run, RunHarness.Bob, _ => [new Decided { Question = question, Choice = "go-back", To = "frist", Reason = "by an older version" }]);
        Assert.Equal(4, (await h.Drive(run)).ExitCode);
        Assert.Contains("Going back is not possible: There is no step 'frist' to go back to", Assert.Single(h.Engine.State(run).OpenQuestions).Asked.Message, StringComparison.Ordinal);
        h.Engine.Cancel(run, RunHarness.Bob, "enough");
        Assert.Equal(5, (await h.Drive(run)).ExitCode);
    }

    [Theory, InlineData("go-back"), InlineData("reject")]
    public async Task An_input_that_was_typed_as_text_has_its_type_in_the_next_round(string choice)
    {
        using var h = new RunHarness();
        var run = (await h.Run(choice == "reject" ? Rejectable("first") : Failing)).State.Run;
        Assert.True(Give(h, run, choice, "5").Accepted);
        var again = (await h.Drive(run)).State;
        Assert.Equal((2, "5"), (again.Round, again.Inputs["count"]!.ToJsonString()));
    }

    [Theory]
    [InlineData("first", "many", "Input 'count' is \"many\", and a number is due")]
    [InlineData("abort", "5", "takes no inputs")]
    public async Task Inputs_of_a_rejection_are_checked_before_it_is_recorded(string onReject, string count, string why)
    {
        using var h = new RunHarness();
        var run = (await h.Run(Rejectable(onReject))).State.Run;
        var refused = Give(h, run, "reject", count);
        Assert.False(refused.Accepted);
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
        h.Answer(run, RunHarness.Bob, "approve");
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
    }

    [Fact]
    public void Inputs_of_a_rejection_ahead_of_its_gate_are_checked_as_they_would_be_at_it()
    {
        using var h = new RunHarness();
        var run = h.Start(h.Plan(Rejectable("first")));
        var refused = h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = "go", Choice = "reject", Reason = "again", Inputs = new JsonObject { ["bogus"] = "1" } });
        Assert.Contains("There is no input 'bogus'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rejection_that_is_in_the_record_with_inputs_that_do_not_fit_ends_the_run_instead_of_going_back()
    {
        using var h = new RunHarness();
        var run = (await h.Run(Rejectable("first"))).State.Run;
        var question = Assert.Single(h.Engine.State(run).OpenQuestions).Id;
        h.Store.Append(run, RunHarness.Bob, _ => [new Decided { Question = question, Choice = "reject", Reason = "by an older version", Inputs = new JsonObject { ["bogus"] = "1" } }]);
        var ended = await h.Drive(run);
        Assert.Equal(Outcome.Rejected, ended.State.Ended!.Outcome);
        Assert.Contains("Going back is not possible: There is no input 'bogus'", ended.State.Ended.Reason, StringComparison.Ordinal);
    }

    static DecisionResult Give(RunHarness h, string run, string choice, string count) => h.Engine.Decide(run, RunHarness.Bob, new Decided
    {
        Question = Assert.Single(h.Engine.State(run).OpenQuestions).Id,
        Choice = choice,
        To = choice == "go-back" ? "first" : null,
        Reason = "again",
        Inputs = new JsonObject { ["count"] = count },
    });

    static string Rejectable(string onReject) => $$"""
        inputs:
          count: { type: number, default: 1 }
        steps:
          - { id: first, uses: world.write, with: { world: WORLD, line: first } }
          - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"], onReject: {{onReject}} } }
        """;

    [Fact]
    public async Task Proof_that_a_manual_step_demands_is_demanded()
    {
        using var h = new RunHarness();
        var run = (await h.Run("""
            steps:
              - { id: block, uses: manual, with: { instructions: "Block the port.", evidenceRequired: true } }
            """)).State.Run;
        var question = Assert.Single(h.Engine.State(run).OpenQuestions).Id;
        var refused = h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = question, Choice = "done", Evidence = " " });
        Assert.False(refused.Accepted);
        Assert.Contains("proof", refused.Message, StringComparison.Ordinal);
        Assert.True(h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = question, Choice = "done", Evidence = "ticket NET-7" }).Accepted);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
    }
}
