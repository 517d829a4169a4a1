using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Reports;

namespace Helix.Runbooks.Tests.Runs;

/// <summary>The limit of all attempts together counts from the first of them, and from anew when a person, or a look after a crash, let the step begin again.</summary>
public sealed class TotalTimeTests
{
    static ScriptedRun Tried() => new ScriptedRun().Begins()
        .Add("02:05:00", new StepStarted("x", 1, "world.write", [], []))
        .Add("02:06:00", new StepFailed("x", 1, FailureClass.Transient, "refused", null, ScriptedRun.At("02:07:00")));

    static DateTimeOffset? Since(ScriptedRun run) => run.Add("03:00:00", new StepStarted("x", 2, "world.write", [], [])).State.Step("x")!.TryingSince;

    [Fact]
    public void A_retry_by_itself_does_not_begin_it_anew() => Assert.Equal(ScriptedRun.At("02:05:00"), Since(Tried()));

    [Fact]
    public void A_retry_that_a_person_answered_begins_it_anew() =>
        Assert.Equal(ScriptedRun.At("03:00:00"), Since(Tried().Add("02:40:00", new StepReset("x", "retry", null))));

    [Fact]
    public void What_was_found_not_done_after_a_crash_begins_it_anew() =>
        Assert.Equal(ScriptedRun.At("03:00:00"), Since(Tried().Add("02:59:00", new StepProbed("x", ProbeVerdict.NotDone, "it is not there"))));
}
