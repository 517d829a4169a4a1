using System.IO.Pipelines;

namespace Helix.Runbooks.Steps.Processes;

/// <summary>The writing end of a pipe as an output; once the reader has ended the tool learns it as a closed pipe.</summary>
public sealed class PipeOutputStream(PipeWriter writer) : Stream
{
    public bool ReaderIsGone { get; private set; }

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!(await writer.WriteAsync(buffer, cancellationToken)).IsCompleted)
            return;
        ReaderIsGone = true;
        throw new OutputClosedException();
    }

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Only asynchronously.");
    public override void Flush() { }
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
}
