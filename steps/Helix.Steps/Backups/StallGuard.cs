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
    public Stream Watch(byte[] buffer, int length) => new Watched(new MemoryStream(buffer, 0, length, writable: false), this);

    public void Dispose()
    {
        _both.Dispose();
        _source.Dispose();
    }

    sealed class Watched(MemoryStream inner, StallGuard guard) : OneWayStream
    {
        public override bool CanRead => true;
        public override bool CanSeek => true;
        public override long Length => inner.Length;
        public override long Position { get => inner.Position; set => inner.Position = value; }
        public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            guard.Moved();
            return inner.ReadAsync(buffer, cancellationToken);
        }

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
