namespace Helix.Steps.Files;

/// <summary>The next so many bytes of a stream, which it owns.</summary>
sealed class Slice(Stream inner, long length) : OneWayStream
{
    long _left = length;

    public override bool CanRead => true;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken);
        _left -= read;
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        inner.Dispose();
        base.Dispose(disposing);
    }
}
