using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Runs;

namespace Helix.Runbooks.Reports;

/// <summary>How far a running step is.</summary>
public sealed record StepProgress(double Done, double? Total, string Unit);

/// <summary>One line of the tree of a run: the state as sign and word, so that it needs no colour.</summary>
public sealed record TreeLine(int Depth, StepStatus Status, string Path, string Uses, string Text)
{
    public override string ToString() => $"{new string(' ', 2 * Depth)}{RunTree.Sign(Status)} {Path}  {Uses}  {Text}".TrimEnd();
}

/// <summary>The steps of a run with their state, for a screen; pure.</summary>
public static class RunTree
{
    /// <param name="driven">False: whoever drove the run is gone, so that nobody knows of a step that was running what became of it.</param>
    public static IReadOnlyList<TreeLine> Lines(RunState state, Plan plan, DateTimeOffset now, Func<string, TimeSpan?> typical, Func<string, StepProgress?> progress, bool driven = true)
    {
        var order = new StepOrder(plan);
        var lines = new List<TreeLine>();
        foreach (var (path, planned) in order.Of(state))
        {
            var step = state.Step(path);
            if (step is null && planned!.Part != Part.Steps)
                continue; // rescue and finally are shown when they come
            var lost = !driven && step?.Status == StepStatus.Running;
            lines.Add(new TreeLine(planned?.Depth ?? 0, lost ? StepStatus.InDoubt : step?.Shown ?? StepStatus.Pending, path, planned?.Item.Uses ?? step!.Uses,
                lost ? Lost : Text(step, now, typical(path), progress(path), state)));
        }
        return lines;
    }

    const string Lost = "in doubt: its driver went while it ran";

    public static string Sign(StepStatus status) => status switch
    {
        StepStatus.Succeeded => "✔",
        StepStatus.Failed => "✘",
        StepStatus.Running => "▶",
        StepStatus.Retrying => "↻",
        StepStatus.Waiting => "?",
        StepStatus.InDoubt => "!",
        StepStatus.Skipped => "-",
        StepStatus.Interrupted or StepStatus.Cancelled => "■",
        _ => "·",
    };

    public static string Word(StepStatus status) => status switch
    {
        StepStatus.InDoubt => "in doubt",
        StepStatus.Retrying => "will be tried again",
        _ => status.ToString().ToLowerInvariant(),
    };

    static string Text(StepState? step, DateTimeOffset now, TimeSpan? typical, StepProgress? progress, RunState state) => step?.Shown switch
    {
        null or StepStatus.Pending when state.Ended is not null => "not reached",
        null or StepStatus.Pending => typical is { } t ? $"pending, usually {Words.Span(t)}" : "pending",
        StepStatus.Running => Running(step, now, typical, progress),
        StepStatus.Retrying => $"attempt {step.Attempts.Count} failed, next at {Words.Time(step.RetryAt!.Value)}: {FirstLine(step.Message)}",
        StepStatus.Waiting => Waiting(step, state),
        StepStatus.Succeeded => Succeeded(step),
        StepStatus.Skipped => $"skipped: {step.SkipReason}",
        StepStatus.Failed => $"failed{Tried(step)}: {FirstLine(step.Message)}",
        StepStatus.Interrupted => $"interrupted: {FirstLine(step.Message)}",
        StepStatus.InDoubt => $"in doubt: {step.Message ?? "started, result unknown"}",
        _ => Word(step.Status),
    };

    static string Running(StepState step, DateTimeOffset now, TimeSpan? typical, StepProgress? progress)
    {
        var attempt = step.Attempts[^1];
        var elapsed = now - attempt.Start;
        var text = $"running for {Words.Span(elapsed)}";
        if (attempt.Number > 1)
            text += $", attempt {attempt.Number}";
        if (progress is { } p)
            text += ", " + Progress(p);
        if (Left(elapsed, typical, progress) is { } left)
            text += $", about {Words.Span(left)} left";
        return text;
    }

    /// <summary>By its own throughput where the end is known, else by experience.</summary>
    static TimeSpan? Left(TimeSpan elapsed, TimeSpan? typical, StepProgress? progress) => progress switch
    {
        { Total: { } total, Done: > 0 and var done } when elapsed > TimeSpan.Zero && total >= done => elapsed * ((total - done) / done),
        _ when typical is { } t && t > elapsed => t - elapsed,
        _ => null,
    };

    static string Progress(StepProgress p)
    {
        string Amount(double value) => p.Unit == "bytes" ? Steps.ByteSize.Words((long)value) : $"{value:0} {p.Unit}";
        return p.Total is { } total && total > 0 ? $"{100 * p.Done / total:0} % of {Amount(total)}" : Amount(p.Done);
    }

    static string Waiting(StepState step, RunState state)
    {
        if (step.WaitUntil is { } until)
            return $"waiting until {Words.Moment(until)}";
        return step.Question is { } id && state.Questions.TryGetValue(id, out var question)
            ? $"waiting for {QuestionPage.Whom(question)}: {QuestionPage.FirstLine(question)}"
            : "waiting";
    }

    static string Succeeded(StepState step)
    {
        var took = step.EndedAt - step.StartedAt;
        var text = step.Source is { } source ? $"succeeded ({source})" : took is { } t ? $"succeeded in {Words.Took(step.Machine, t - step.Machine)}" : "succeeded";
        return text + Tried(step) + (step.Warning is { } warning ? $", warning: {warning}" : "");
    }

    static string Tried(StepState step) => step.Attempts.Count > 1 ? $" after {step.Attempts.Count} attempts" : "";

    static string FirstLine(string? text) => text?.Split('\n')[0] ?? "";

    /// <summary>The line above the tree: "RTO 4h: 0:12:07 gone, 3:47:53 left, ETA 0:31".</summary>
    public static string ClockLine(Clocks clocks, DateTimeOffset now)
    {
        var elapsed = clocks.Rta ?? (clocks.Over ? clocks.Elapsed : now - (clocks.BeganAt ?? now));
        if (clocks.Rta is { } rta)
            return clocks.Rto is { } o ? $"RTO {Words.Objective(o)}: recovered after {Words.Clock(rta)}, {(rta <= o ? "met" : "missed")}" : $"recovered after {Words.Clock(rta)}";
        if (clocks.Over)
            return clocks.Rto is { } due ? $"RTO {Words.Objective(due)}: not recovered; ended after {Words.Clock(elapsed)}" : $"ended after {Words.Clock(elapsed)}";
        var text = clocks.Rto is not { } rto ? $"{Words.Clock(elapsed)} gone"
            : elapsed <= rto ? $"RTO {Words.Objective(rto)}: {Words.Clock(elapsed)} gone, {Words.Clock(rto - elapsed)} left"
            : $"RTO {Words.Objective(rto)}: {Words.Clock(elapsed)} gone, missed by {Words.Clock(elapsed - rto)}";
        if (clocks.Eta is { } eta && eta > now)
            text += $", ETA {(clocks.EtaIsLeast ? "at least " : "")}{Words.Clock(eta - now)[..^3]}" + (clocks.AtRisk ? ", the objective is at risk" : "");
        return text;
    }
}
