using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Helix.Server.Telemetry;

/// <summary>Hands spans with their own ids to whoever listens to the source.</summary>
static class Tracer
{
    public const string Name = "Helix.Runbooks";

    static readonly ActivitySource Source = new(Name);

    public static bool IsHeard => Source.HasListeners();

    public static void Record(RunSpan span)
    {
        Activity.Current = null;
        var parent = span.Parent == default ? default : new ActivityContext(span.Trace, span.Parent, ActivityTraceFlags.Recorded, isRemote: true);
        if (Source.CreateActivity(span.Name, ActivityKind.Internal, parent, span.Tags.Where(t => t.Value is not null)) is not { } activity)
            return;
        activity.SetStartTime(span.Start.UtcDateTime);
        activity.Start();
        // The class draws ids by chance, and has no way to set them; these link what several processes tell of one run.
        TraceOf(activity) = span.Trace.ToHexString();
        IdOf(activity) = span.Id.ToHexString();
        if (span.Error is not null)
            activity.SetStatus(ActivityStatusCode.Error, span.Error);
        activity.SetEndTime(span.End.UtcDateTime);
        activity.Stop();
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_traceId")]
    static extern ref string? TraceOf(Activity activity);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_spanId")]
    static extern ref string? IdOf(Activity activity);
}
