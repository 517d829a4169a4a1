namespace Helix.Runbooks.Steps.Processes;

/// <summary>Where one of the two pipes goes: to a stream as it is, or to the log line by line and into the result.</summary>
sealed class ChildOutput(ProcessSettings settings, ToolStream stream, bool log, Stream? to, CancellationToken cancelled)
{
    /// <summary>What the child started may keep the pipe open for ever; nothing of the child itself is lost after this time.</summary>
    static readonly TimeSpan PatienceAfterEnd = TimeSpan.FromSeconds(2);

    /// <summary>What came after a longer pause had been there before: it was this process that stood still.</summary>
    static readonly TimeSpan LongestPause = PatienceAfterEnd / 4;

    readonly Tail _tail = new(settings.KeptBytes);
    readonly LineSplitter? _lines = log ? new(settings.Masker, line => settings.Log(stream, line)) : null;
    TimeSpan _patience = PatienceAfterEnd;

    public string Name => stream == ToolStream.Stdout ? "standard output" : "standard error";

    /// <summary>It goes on to somebody who takes all of it for the whole.</summary>
    public bool IsData => to is not null;
    public string Text => _tail.ToString();
    public bool Cut => _tail.Cut;

    /// <summary>Takes all that comes.</summary>
    /// <returns>False when the pipe was still open, and left alone, some time after the child's end.</returns>
    public async Task<bool> TakeAll(Stream pipe, Task ended)
    {
        var buffer = new byte[64 * 1024];
        int count;
        while ((count = await Read(pipe, buffer, ended)) > 0)
            await Take(buffer.AsMemory(0, count));
        _lines?.End();
        if (to is not null && !cancelled.IsCancellationRequested)
            await UnlessCancelled(to.FlushAsync(cancelled));
        return count == 0;
    }

    /// <returns>0 at the end; -1 when the patience is used up. The time that the receiver takes is not counted.</returns>
    async Task<int> Read(Stream pipe, byte[] buffer, Task ended)
    {
        using var giveUp = new CancellationTokenSource();
        var read = pipe.ReadAsync(buffer, giveUp.Token).AsTask();
        if (!read.IsCompleted)
            await Task.WhenAny(read, ended);
        if (read.IsCompleted && !ended.IsCompleted)
            return await read;
        var since = settings.Time.GetTimestamp();
        await Task.WhenAny(read, Task.Delay(_patience, settings.Time, giveUp.Token));
        var paused = settings.Time.GetElapsedTime(since);
        // A flood that never pauses takes some of it with each piece, too.
        _patience -= (paused < LongestPause ? paused : LongestPause) + TimeSpan.FromMicroseconds(50);
        if (read.IsCompleted && (_patience > TimeSpan.Zero || await read == 0))
            return await read;
        await giveUp.CancelAsync();
        return -1;
    }

    async ValueTask Take(ReadOnlyMemory<byte> bytes)
    {
        if (to is null)
        {
            _tail.Add(bytes.Span);
            _lines?.Add(bytes.Span);
        }
        // After a cancel nobody takes the bytes, but the tool must not block on a full pipe while it stops.
        else if (!cancelled.IsCancellationRequested)
            await UnlessCancelled(to.WriteAsync(bytes, cancelled).AsTask());
    }

    async Task UnlessCancelled(Task write)
    {
        try
        {
            await write;
        }
        catch (OperationCanceledException) when (cancelled.IsCancellationRequested)
        {
        }
    }
}
