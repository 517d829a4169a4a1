using CsCheck;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Runs;
using Xunit;

namespace Helix.Runbooks.Tests.Runs;

public sealed class SequencerProperties
{
    static readonly Gen<(Runbook Book, int Seed, double Failing)> Plays = Gen.Select(GenRunbook.Any, Gen.Int[0, 1_000_000], Gen.Int[0, 2].Select(i => ((double[])[0.0, 0.1, 0.4])[i]));

    static SequencerPlay Play(Runbook book, int seed, double failing, Action<SequencerPlay>? each = null) => Play(new SequencerPlay(book, seed, failing), each);

    static SequencerPlay Play(SequencerPlay play, Action<SequencerPlay>? each)
    {
        for (var turns = 0; play.Turn(); turns++)
        {
            each?.Invoke(play);
            if (turns > 5_000)
                throw new InvalidOperationException("The run does not end.");
        }
        return play;
    }

    [Fact]
    public void Every_run_ends_and_no_step_starts_twice() => Plays.Sample(p =>
    {
        var play = Play(p.Book, p.Seed, p.Failing);
        return play.Starts.Count == play.Starts.Distinct().Count();
    });

    [Fact]
    public void Without_a_failure_everything_runs_but_rescue() => Plays.Sample(p =>
    {
        var play = Play(p.Book, p.Seed, 0);
        return play.State.Ended!.Outcome == Outcome.Succeeded
            && p.Book.Steps.OfType<StepItem>().All(s => play.Starts.Contains(s.Id))
            && p.Book.Finally.OfType<StepItem>().All(s => play.Starts.Contains(s.Id))
            && Items.All(p.Book.Rescue).All(s => !play.Starts.Contains(s.Id));
    });

    [Fact]
    public void Finally_always_runs_and_rescue_exactly_when_the_steps_gave_up() => Plays.Sample(p =>
    {
        var play = Play(p.Book, p.Seed, p.Failing);
        var failed = play.State.Ended!.Outcome == Outcome.Failed;
        return p.Book.Finally.OfType<StepItem>().All(s => play.Starts.Contains(s.Id)) && p.Book.Rescue.OfType<StepItem>().All(s => play.Starts.Contains(s.Id) == failed);
    });

    [Fact]
    public void In_rescue_and_finally_no_failure_keeps_a_block_from_going_through_all_of_its_steps() => Plays.Sample(p =>
    {
        var play = Play(p.Book, p.Seed, p.Failing);
        var due = Due(p.Book.Finally, "", play.State);
        if (play.State.Ended!.Outcome == Outcome.Failed)
            due = due.Concat(Due(p.Book.Rescue, "", play.State));
        return due.All(play.Starts.Contains);
    });

    /// <summary>A sub-runbook is one step that goes by its own text; of a loop without a list nothing is due.</summary>
    static IEnumerable<string> Due(IEnumerable<Item> items, string prefix, RunState state) => items.SelectMany(item => item switch
    {
        StepItem step => [prefix + step.Id],
        GroupItem group => Due(group.Steps.Concat(group.Finally), prefix, state),
        ParallelItem parallel => parallel.Branches.SelectMany(b => Due(b, prefix, state)),
        ForEachItem each => Enumerable.Range(0, state.Lists.GetValueOrDefault(prefix + each.Id)?.Count ?? 0).SelectMany(i => Due(each.Steps, $"{prefix}{each.Id}[{i}]/", state)),
        _ => [],
    });

    [Fact]
    public void What_starts_later_was_still_to_come_before_and_nothing_that_has_ended_is() =>
        Gen.Select(Plays, Gen.Int[0, 12]).Sample((p, at) =>
        {
            var index = new PlanIndex(p.Book);
            bool IsOwn(string path) => index.Find(path)! is { Section: Part.Steps } place && !place.Within.Any(w => w.StartsWith("rescue of", StringComparison.Ordinal) || w.StartsWith("finally of", StringComparison.Ordinal));
            var turn = 0;
            var (before, ended) = (int.MaxValue, false);
            var left = new HashSet<string>();
            var play = Play(p.Book, p.Seed, p.Failing, x =>
            {
                if (turn++ != at)
                    return;
                var paths = new Sequencer(p.Book, RunHarness.Catalog).StillToCome(x.State);
                (before, ended) = (x.Starts.Count, paths.Any(path => x.State.StatusOf(path) is StepStatus.Succeeded or StepStatus.Skipped));
                left = [.. paths.Select(StepPath.Pattern)];
            });
            return !ended && play.Starts.Skip(before).Where(IsOwn).All(path => left.Contains(StepPath.Pattern(path)));
        });

    [Fact]
    public void A_run_that_is_cancelled_whenever_and_whoever_drives_it_then_does_not_end_while_something_runs() =>
        Gen.Select(Plays, Gen.Int[0, 20]).Sample((p, at) =>
        {
            var turn = 0;
            var play = Play(new SequencerPlay(p.Book, p.Seed, p.Failing, skipping: 0.2, forgetful: true), x =>
            {
                if (turn++ == at)
                    x.Cancel();
            });
            return play.LeftRunning.Count == 0;
        });

    [Fact]
    public void Steps_of_a_list_start_in_its_order() => Plays.Sample(p =>
    {
        var play = Play(p.Book, p.Seed, p.Failing);
        var order = p.Book.Steps.OfType<StepItem>().Select(s => play.Starts.IndexOf(s.Id)).Where(i => i >= 0).ToList();
        return order.SequenceEqual(order.Order());
    });

    [Fact]
    public void A_loop_never_has_more_elements_under_way_than_it_may() =>
        Gen.Select(Gen.Int[1, 8], Gen.Int[1, 4], Gen.Int[0, 1000]).Sample((count, most, seed) =>
        {
            var book = GenRunbook.Build([new GenRunbook.Each(count, most, [new GenRunbook.Leaf(null)])], [], []);
            return Play(book, seed, 0).MostOpen == Math.Min(count, most);
        });

    [Fact]
    public void A_sequencer_that_remembers_says_the_same_as_a_fresh_one() => Plays.Sample(p =>
    {
        var same = true;
        Play(p.Book, p.Seed, p.Failing, play =>
        {
            var (fresh, used) = play.Compare();
            same &= fresh.Select(a => a.ToString()).SequenceEqual(used.Select(a => a.ToString()));
        });
        return same;
    });

    [Fact]
    public void A_cancelled_run_starts_nothing_new_but_rescue_and_finally_and_ends_cancelled() =>
        Gen.Select(Plays, Gen.Int[0, 12]).Sample((p, at) =>
        {
            var turn = 0;
            var before = new HashSet<string>();
            var play = Play(p.Book, p.Seed, 0, x =>
            {
                if (turn++ != at)
                    return;
                before = [.. x.Starts];
                x.Cancel();
            });
            if (turn <= at || play.State.Ended!.Outcome != Outcome.Cancelled)
                return true;
            return p.Book.Steps.OfType<StepItem>().Where(s => !before.Contains(s.Id)).All(s => !play.Starts.Contains(s.Id))
                && p.Book.Finally.OfType<StepItem>().All(s => play.Starts.Contains(s.Id))
                && play.State.Steps.Values.All(s => s.Status is not (StepStatus.Running or StepStatus.Waiting));
        });

    [Fact]
    public void The_fold_gives_the_same_state_in_one_go_and_step_by_step() => Plays.Sample(p =>
    {
        var play = Play(p.Book, p.Seed, p.Failing);
        var again = RunState.Of("play", play.Entries);
        return again.Steps.Count == play.State.Steps.Count
            && again.Steps.All(s => play.State.Step(s.Key)!.Status == s.Value.Status)
            && again.Spans.SequenceEqual(play.State.Spans)
            && again.Status == play.State.Status;
    });

    [Fact]
    public void Going_back_resets_the_step_and_all_after_it_and_keeps_what_was_before() =>
        Gen.Select(Plays, Gen.Int[0, 100]).Sample((p, pick) =>
        {
            var steps = p.Book.Steps;
            var to = steps[pick % steps.Count];
            var reset = Rounds.Reset(p.Book, to.Id);
            var at = steps.ToList().IndexOf(to);
            return steps.Take(at).All(s => !reset.Contains(s.Id)) && steps.Skip(at).All(s => reset.Contains(s.Id)) && p.Book.Finally.All(s => reset.Contains(s.Id));
        });

    [Fact]
    public void A_cancelled_run_ends_as_succeeded_only_when_nothing_was_left_to_be_done() =>
        Gen.Select(Plays, Gen.Int[0, 20]).Sample((p, at) =>
        {
            var turn = 0;
            var play = Play(new SequencerPlay(p.Book, p.Seed, p.Failing), x =>
            {
                if (turn++ == at)
                    x.Cancel();
            });
            return turn <= at || play.State.Ended!.Outcome != Outcome.Succeeded || play.WithoutCancel() is [Finish { Outcome: Outcome.Succeeded }];
        });
}
