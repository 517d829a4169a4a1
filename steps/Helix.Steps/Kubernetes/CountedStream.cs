using System.Security.Cryptography;
using Helix.Steps.Files;

namespace Helix.Steps.Kubernetes;

/// <summary>Counts and hashes what goes through, in either direction.</summary>
sealed class CountedStream(Stream inner, Action<long> progress) : OneWayStream
{
    readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    long _size;

    public override bool CanRead => inner.CanRead;
    public override bool CanWrite => inner.CanWrite;
    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public (long Size, string Sha256) End()
    {
        using (_hash)
            return (_size, Convert.ToHexStringLower(_hash.GetHashAndReset()));
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await inner.ReadAsync(buffer, cancellationToken);
        Add(buffer.Span[..count]);
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Add(buffer.Span);
        await inner.WriteAsync(buffer, cancellationToken);
    }

    void Add(ReadOnlySpan<byte> bytes)
    {
        _hash.AppendData(bytes);
        progress(_size += bytes.Length);
    }
}
