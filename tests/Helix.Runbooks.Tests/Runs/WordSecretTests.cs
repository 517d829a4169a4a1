using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Runs;

/// <summary>A password that is an ordinary word, and one that is not: what the run reads back from its own record.</summary>
public sealed class WordSecretTests : IDisposable
{
    const string Name = "HELIX_TEST_WORD_SECRET";
    const string Strong = "correct-horse-4711";
    const string Uncommon = "Tr0ub4dor";

    readonly RunHarness _h = new();

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Name, null);
        _h.Dispose();
    }

    [Theory, InlineData("gamma"), InlineData("gamma-ray")]
    public async Task A_retry_does_what_the_first_attempt_was_to_do_although_the_password_is_a_word_of_its_options(string password)
    {
        Environment.SetEnvironmentVariable(Name, password);
        var ended = await _h.Run($$$"""
            steps:
              - { id: leak, uses: world.leak, with: { secret: "env:{{{Name}}}" } }
              - { id: first, uses: world.write, with: { world: WORLD, line: "the {{{password}}}", failFirst: 1 }, retry: { attempts: 2, delay: 1ms } }
              - { id: then, uses: world.write, with: { world: WORLD, line: "{{ steps.first.line }} again" } }
              - id: each
                forEach: ["{{{password}}}"]
                as: it
                steps:
                  - { id: last, uses: world.write, with: { world: WORLD, line: "{{ it }}" } }
            """);
        Assert.Equal("all steps are done", ended.State.Ended!.Reason);
        Assert.Equal([$"the {password}", $"the {password} again", password], _h.Lines);
        Assert.Contains(ended.State.Preflight, f => f is { Kind: FindingKind.Warning, Subject: "secret env:" + Name } && f.What.Contains("it is not masked", StringComparison.Ordinal));
        Assert.Contains(_h.Store.Logs(ended.State.Run), l => l.Text == "it is ***");
    }

    [Fact]
    public async Task An_approval_of_a_target_that_is_called_like_a_password_is_of_that_target()
    {
        Environment.SetEnvironmentVariable(Name, "thing");
        var run = (await _h.Run($$$"""
            steps:
              - { id: leak, uses: world.leak, with: { secret: "env:{{{Name}}}" } }
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
              - { id: load, uses: world.destroy, with: { world: WORLD, target: thing } }
            """)).State.Run;
        Assert.Contains("\"target\":\"thing\"", _h.Engine.State(run).OpenQuestions.Single().Asked.Shown.ToJsonString(), StringComparison.Ordinal);
        _h.Answer(run, RunHarness.Bob, "approve");
        Assert.Equal(0, (await _h.Drive(run)).ExitCode);
        Assert.Equal(["destroyed thing"], _h.Lines);
    }

    [Fact]
    public async Task An_option_in_which_a_secret_is_written_out_is_refused_and_gets_into_no_event()
    {
        Environment.SetEnvironmentVariable(Name, Strong);
        var ended = await _h.Run($$$"""
            steps:
              - { id: leak, uses: world.leak, with: { secret: "env:{{{Name}}}" } }
              - { id: write, uses: world.write, with: { world: WORLD, line: "use {{{Strong}}}" } }
            """);
        Assert.Equal(1, ended.ExitCode);
        Assert.Empty(_h.Lines);
        Assert.StartsWith("The option 'line' of world.write holds a secret in plain text", ended.State.Step("write")!.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Strong, Exported(ended.State.Run), StringComparison.Ordinal);
    }

    [Theory, InlineData(Strong), InlineData(Uncommon)]
    public async Task A_secret_that_is_no_word_of_the_runbook_is_masked_in_outputs_and_the_step_says_so(string password)
    {
        Environment.SetEnvironmentVariable(Name, password);
        var ended = await _h.Run($$$"""
            steps:
              - { id: leak, uses: world.leak, with: { secret: "env:{{{Name}}}" } }
              - { id: use, uses: world.write, with: { world: WORLD, line: "{{ steps.leak.text }}" } }
            """);
        Assert.Equal(0, ended.ExitCode);
        Assert.Equal(["the value is ***"], _h.Lines);
        Assert.Equal("A secret stands in 'text': the record, and steps that use it, have *** in its place.", ended.State.Step("leak")!.Warning);
        Assert.Null(ended.State.Step("use")!.Warning);
        Assert.DoesNotContain(ended.State.Preflight, f => f.Kind == FindingKind.Warning && f.Subject.Contains(Name, StringComparison.Ordinal));
        Assert.DoesNotContain(password, Exported(ended.State.Run), StringComparison.Ordinal);
    }

    string Exported(string run)
    {
        using var text = new StringWriter();
        _h.Store.Export(run, text);
        return text.ToString();
    }
}
