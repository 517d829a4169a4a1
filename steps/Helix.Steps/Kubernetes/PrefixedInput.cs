using Helix.Steps.Files;

namespace Helix.Steps.Kubernetes;

/// <summary>Some bytes, then those of another stream.</summary>
sealed class PrefixedInput(byte[] first, Stream then) : OneWayStream
{
    int _at;

    public override bool CanRead => true;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_at == first.Length)
            return await then.ReadAsync(buffer, cancellationToken);
        var count = Math.Min(buffer.Length, first.Length - _at);
        first.AsMemory(_at, count).CopyTo(buffer);
        _at += count;
        return count;
    }
}
