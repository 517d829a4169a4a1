using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Helix.Runbooks.Journal;

namespace Helix.Server.Telemetry;

/// <summary>A part of a run's time, as it goes into its trace. Options and outputs of steps never do.</summary>
sealed record RunSpan(string Name, ActivityTraceId Trace, ActivitySpanId Id, ActivitySpanId Parent, DateTimeOffset Start, DateTimeOffset End)
{
    public string? Error { get; init; }
    public IReadOnlyList<KeyValuePair<string, object?>> Tags { get; init; } = [];
}

/// <summary>From a run to its trace. All ids are functions of the run, its steps and attempts: whoever makes them again makes the same.</summary>
static class RunSpans
{
    /// <summary>What ended with the newest entries.</summary>
    public static IEnumerable<RunSpan> Of(RunState state, IReadOnlyList<JournalEntry> fresh)
    {
        var since = fresh[0].At;
        foreach (var span in state.Spans)
            if (span.End is { } end && (span.Kind == SpanKind.Retry ? span.Start : end) >= since)
                yield return Part(state, span, end);
        foreach (var path in fresh.Select(PathOf).OfType<string>().Distinct())
            if (state.Step(path) is { StartedAt: { } start, EndedAt: { } end, Status: StepStatus.Succeeded or StepStatus.Failed or StepStatus.Skipped or StepStatus.Cancelled } step)
                yield return new RunSpan(path, Trace(state.Run), StepId(state.Run, state.Round, path), RootId(state.Run), start, end)
                {
                    Error = step.Shown == StepStatus.Failed ? step.Message : null,
                    Tags = [new("helix.step", path), new("helix.uses", step.Uses), new("helix.status", Word(step.Shown)), new("helix.attempts", step.Attempts.Count), new("helix.round", state.Round), new("helix.source", step.Source)],
                };
        if (state is { Ended: { } ended, EndedAt: { } at } && fresh.Any(e => e.Event == ended))
            yield return Root(state, ended, at);
    }

    public static ActivityTraceId Trace(string run) => ActivityTraceId.CreateFromBytes(Hash($"helix trace\n{run}").AsSpan(0, 16));

    static RunSpan Root(RunState state, RunEnded ended, DateTimeOffset at) => new(state.Started.Runbook, Trace(state.Run), RootId(state.Run), default, state.StartedAt, at)
    {
        Error = ended.Outcome == Outcome.Succeeded ? null : ended.Reason,
        Tags =
        [
            new("helix.run", state.Run), new("helix.runbook", state.Started.Runbook), new("helix.environment", state.Started.Environment), new("helix.mode", state.Started.Mode), new("helix.trigger", state.Started.Trigger),
            new("helix.operator", state.Started.Operator.Account), new("helix.incident", state.Started.Incident), new("helix.outcome", Word(ended.Outcome)), new("helix.rounds", state.Round),
            new("helix.rta_seconds", ended.Rta?.TotalSeconds), new("helix.rpa_seconds", ended.Rpa?.TotalSeconds), new("helix.objectives_met", ended.ObjectivesMet),
        ],
    };

    static RunSpan Part(RunState state, Span span, DateTimeOffset end)
    {
        var attempt = Attempt(state, span);
        var id = Id($"{state.Run}\n{span.Kind}\n{span.Path}\n{span.Round}\n{span.Attempt}\n{span.Start.UtcTicks}");
        return new RunSpan(Name(span), Trace(state.Run), id, span.Path.Length == 0 ? RootId(state.Run) : StepId(state.Run, span.Round, span.Path), span.Start, end)
        {
            Error = attempt is { Result: "failed" } ? attempt.Message : null,
            Tags = [new("helix.step", span.Path.Length == 0 ? null : span.Path), new("helix.kind", Word(span.Kind)), new("helix.result", attempt?.Result), new("helix.failure", attempt?.Failure is { } f ? Word(f) : null)],
        };
    }

    /// <summary>The attempt that a span of the machine was.</summary>
    public static Attempt? Attempt(RunState state, Span span) => span.Kind != SpanKind.Machine ? null
        : state.Step(span.Path)?.Attempts.LastOrDefault(a => a.Number == span.Attempt && a.Round == span.Round);

    static string Name(Span span) => span.Kind switch
    {
        SpanKind.Machine => string.Create(CultureInfo.InvariantCulture, $"{span.Path} attempt {span.Attempt}"),
        SpanKind.WaitingForPeople => $"{span.Path} waits for people",
        SpanKind.WaitingForTime => $"{span.Path} waits",
        SpanKind.Retry => $"{span.Path} before another attempt",
        _ => "suspended",
    };

    static string? PathOf(JournalEntry entry) => entry.Event switch
    {
        StepSucceeded e => e.Path,
        StepFailed { RetryAt: null } e => e.Path,
        StepSkipped e => e.Path,
        _ => null,
    };

    public static string Word<T>(T value) where T : struct, Enum => System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());

    static ActivitySpanId RootId(string run) => Id($"{run}\nrun");
    static ActivitySpanId StepId(string run, int round, string path) => Id(string.Create(CultureInfo.InvariantCulture, $"{run}\nstep\n{path}\n{round}"));
    static ActivitySpanId Id(string of) => ActivitySpanId.CreateFromBytes(Hash(of).AsSpan(0, 8));
    static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
