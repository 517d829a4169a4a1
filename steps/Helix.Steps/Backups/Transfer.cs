using Helix.Runbooks.Steps;

namespace Helix.Steps.Backups;

/// <summary>What surrounds the movement of a backup: a clock, listeners, an end.</summary>
public sealed record Transfer
{
    public TimeProvider Time { get; init; } = TimeProvider.System;
    public Action<string> Log { get; init; } = _ => { };

    /// <summary>Bytes of the content that are done.</summary>
    public Action<long> Progress { get; init; } = _ => { };
    public CancellationToken Cancelled { get; init; }

    public static Transfer Of(StepContext context, long? total = null) =>
        new() { Time = context.Time, Log = context.Log, Progress = done => context.Progress(done, total), Cancelled = context.Cancelled };
}
