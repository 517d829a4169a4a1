using Helix.Steps.Files;

namespace Helix.Steps.Backups;

/// <summary>Ends a request on which nothing has moved for a while. A long one that moves may take as long as it needs.</summary>
sealed class StallGuard : IDisposable
{
    readonly CancellationToken _outer;
    readonly CancellationTokenSource _source;
    readonly CancellationTokenSource _both;

    public StallGuard(TimeProvider time, TimeSpan limit, CancellationToken outer)
    {
        Limit = limit;
        _outer = outer;
        _source = new CancellationTokenSource(limit, time);
        _both = CancellationTokenSource.CreateLinkedTokenSource(_source.Token, outer);
    }

    public TimeSpan Limit { get; }
    public CancellationToken Token => _both.Token;
    public bool Stalled => _source.IsCancellationRequested && !_outer.IsCancellationRequested;

    /// <summary>Something moved.</summary>
    public void Moved() => _source.CancelAfter(Limit);

    /// <summary>A body to send, that tells the guard of each piece which was taken.</summary>
    public Stream Watch(PartBuffer body) => new Watched(body, this);

    public void Dispose()
    {
        _both.Dispose();
        _source.Dispose();
    }

    sealed class Watched(PartBuffer body, StallGuard guard) : OneWayStream
    {
        public override bool CanRead => true;
        public override bool CanSeek => true;
        public override long Length => body.Length;
        public override long Position { get; set; }

        public override long Seek(long offset, SeekOrigin origin) =>
            Position = origin switch { SeekOrigin.Begin => offset, SeekOrigin.Current => Position + offset, _ => Length + offset };

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            guard.Moved();
            var length = await body.Read(Position, buffer, cancellationToken);
            Position += length;
            return length;
        }
    }
}
