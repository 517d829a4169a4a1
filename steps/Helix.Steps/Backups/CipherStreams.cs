using Helix.Steps.Files;

namespace Helix.Steps.Backups;

/// <summary>Cuts what is written into chunks and seals each. Holds one back: only the end tells which is the last.</summary>
sealed class EncryptingStream(Stream to, BackupCipher.Records records) : OneWayStream
{
    readonly byte[] _plain = new byte[BackupCipher.Chunk];
    readonly byte[] _record = new byte[BackupCipher.Chunk + BackupCipher.NonceSize + BackupCipher.TagSize];
    int _filled;
    long _index;
    bool _ended;

    public override bool CanWrite => true;

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            if (_filled == _plain.Length)
                await Seal(last: false, cancellationToken);
            var length = Math.Min(buffer.Length, _plain.Length - _filled);
            buffer[..length].CopyTo(_plain.AsMemory(_filled));
            _filled += length;
            buffer = buffer[length..];
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (!_ended)
        {
            _ended = true;
            await Seal(last: true, CancellationToken.None);
            records.Dispose();
        }
        await base.DisposeAsync();
    }

    async Task Seal(bool last, CancellationToken cancelled)
    {
        records.Seal(_index++, last, _plain.AsSpan(0, _filled), _record);
        await to.WriteAsync(_record.AsMemory(0, _filled + BackupCipher.NonceSize + BackupCipher.TagSize), cancelled);
        _filled = 0;
    }
}

/// <summary>Opens record after record. Looks one byte ahead: the last record is the one that nothing follows.</summary>
sealed class DecryptingStream(Stream from, BackupCipher.Records records, int chunk) : OneWayStream
{
    const int Extra = BackupCipher.NonceSize + BackupCipher.TagSize;

    readonly byte[] _ahead = new byte[chunk + Extra + 1];
    readonly byte[] _plain = new byte[chunk];
    int _have, _at, _end;
    long _index;
    bool _ended;

    public override bool CanRead => true;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_at == _end)
        {
            if (_ended)
                return 0;
            await Next(cancellationToken);
        }
        var length = Math.Min(buffer.Length, _end - _at);
        _plain.AsMemory(_at, length).CopyTo(buffer);
        _at += length;
        return length;
    }

    async Task Next(CancellationToken cancelled)
    {
        _have += await from.ReadAtLeastAsync(_ahead.AsMemory(_have), _ahead.Length - _have, throwOnEndOfStream: false, cancelled);
        _ended = _have < _ahead.Length;
        var length = _ended ? _have : _ahead.Length - 1;
        if (length < Extra)
            throw new InvalidDataException("The encrypted object is cut off.");
        records.Open(_index++, _ended, _ahead.AsSpan(0, length), _plain);
        _at = 0;
        _end = length - Extra;
        _ahead[0] = _ahead[^1];
        _have = _ended ? 0 : 1;
    }

    protected override void Dispose(bool disposing)
    {
        records.Dispose();
        base.Dispose(disposing);
    }
}
