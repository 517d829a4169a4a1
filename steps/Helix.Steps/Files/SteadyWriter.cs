using Microsoft.Win32.SafeHandles;

namespace Helix.Steps.Files;

/// <summary>Writes a new file and sends it to the disk meanwhile, so that little is left to wait for at its end.</summary>
sealed class SteadyWriter : OneWayStream
{
    /// <summary>What is written at once. For more, a file system looks for larger pages, which in a virtual machine are often not there yet: up to six times the time.</summary>
    public const int Piece = 1 << 17;

    readonly long _between;
    readonly FileStream _stream;
    readonly SafeFileHandle _file;
    long _at;
    long _flushedFrom;
    Task _flush = Task.CompletedTask;

    /// <param name="between">Bytes from one flush to the next.</param>
    /// <param name="mode">Who may read and write it, from its first moment; null: what the umask leaves.</param>
    /// <exception cref="IOException">There is such a file.</exception>
    public SteadyWriter(string path, long between = 64 << 20, UnixFileMode? mode = null)
    {
        _between = between;
        // Only a stream takes a mode.
        _stream = new(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, Options = FileOptions.Asynchronous, BufferSize = 0, UnixCreateMode = mode });
        _file = _stream.SafeFileHandle;
    }

    public override bool CanWrite => true;

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        for (; buffer.Length > 0; buffer = buffer[Math.Min(Piece, buffer.Length)..])
        {
            var piece = buffer[..Math.Min(Piece, buffer.Length)];
            await RandomAccess.WriteAsync(_file, piece, _at, cancellationToken);
            _at += piece.Length;
        }
        if (_at - _flushedFrom >= _between && _flush.IsCompleted)
        {
            await _flush;
            _flushedFrom = _at;
            _flush = Task.Run(() => RandomAccess.FlushToDisk(_file), CancellationToken.None);
        }
    }

    /// <summary>All of it is on the disk when this returns.</summary>
    public async Task Finish()
    {
        await _flush;
        RandomAccess.FlushToDisk(_file);
    }

    protected override void Dispose(bool disposing)
    {
        // A handle must not be closed under a flush.
        Task.WaitAny(_flush);
        _stream.Dispose();
        base.Dispose(disposing);
    }
}
