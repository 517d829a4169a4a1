using System.Diagnostics.Metrics;
using Helix.Runbooks.Journal;

namespace Helix.Server.Telemetry;

/// <summary>What is measured of the runs that this server drives: each part of their time, once, when it is over.</summary>
sealed class RunTelemetry : IDisposable
{
    readonly Meter _meter = new(Tracer.Name);

    public RunTelemetry() => Durations = new Durations(_meter);

    public Durations Durations { get; }
    public Meter Meter => _meter;

    public void Take(RunState state, IReadOnlyList<JournalEntry> fresh)
    {
        // Another server tells of what it drives itself.
        if (state.Driver != DriverIdentity.Current)
            return;
        var since = fresh[0].At;
        foreach (var span in state.Spans)
            if (span.End is { } end && end >= since && end <= state.LastAt)
                Measure(state, span, end - span.Start);
        if (!Tracer.IsHeard)
            return;
        foreach (var span in RunSpans.Of(state, fresh))
            Tracer.Record(span);
    }

    void Measure(RunState state, Span span, TimeSpan took)
    {
        var environment = state.Started.Environment;
        if (span.Kind == SpanKind.Machine && state.Step(span.Path) is { } step)
        {
            // Those before it has taken the run are another server's, also where it reads of them only now.
            var attempt = RunSpans.Attempt(state, span);
            if (attempt?.Driver is null || attempt.Driver == DriverIdentity.Current)
                Durations.Step(took, environment, step.Uses, attempt?.Result ?? "unknown");
        }
        else if (span.Kind is SpanKind.WaitingForPeople or SpanKind.WaitingForTime)
            Durations.Wait(took, environment, span.Kind == SpanKind.WaitingForPeople ? "people" : "time");
    }

    public void Dispose() => _meter.Dispose();
}
