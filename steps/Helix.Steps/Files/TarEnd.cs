namespace Helix.Steps.Files;

/// <summary>Sees whether a tar stream ends as one must: with two blocks of zeros. A file cut between two entries looks whole otherwise.</summary>
sealed class TarEnd(Stream inner) : OneWayStream
{
    const int Needed = 1024;

    long _zeros;

    public override bool CanRead => true;

    /// <summary>Reads what is left.</summary>
    public async Task<bool> IsComplete(CancellationToken cancelled)
    {
        var buffer = new byte[1 << 16];
        while (await ReadAsync(buffer, cancelled) > 0)
        {
        }
        return _zeros >= Needed;
    }

    public override int Read(byte[] buffer, int offset, int count) => Look(buffer.AsSpan(offset, inner.Read(buffer, offset, count)));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);
        return Look(buffer.Span[..read]);
    }

    int Look(ReadOnlySpan<byte> bytes)
    {
        var last = bytes.LastIndexOfAnyExcept((byte)0);
        _zeros = last < 0 ? _zeros + bytes.Length : bytes.Length - last - 1;
        return bytes.Length;
    }
}
