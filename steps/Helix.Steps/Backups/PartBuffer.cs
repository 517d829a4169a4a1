using System.IO.Hashing;
using System.Security.Cryptography;
using Helix.Runbooks.Steps;
using Microsoft.Win32.SafeHandles;

namespace Helix.Steps.Backups;

/// <summary>The bytes of one part, from the first until the server has them all.</summary>
abstract class PartBuffer(long size) : IDisposable
{
    public long Size => size;
    public long Length { get; private set; }
    public long Room => size - Length;

    /// <param name="folder">Where a part lies that is too large for memory.</param>
    public static PartBuffer Of(long size, string folder) => PartSizes.IsSpooled(size) ? new InFile(size, folder) : new InMemory(GC.AllocateUninitializedArray<byte>((int)size));

    /// <summary>One that is full.</summary>
    public static PartBuffer Of(byte[] bytes) => new InMemory(bytes) { Length = bytes.Length };

    /// <param name="bytes">No more than there is room for.</param>
    public async ValueTask Add(ReadOnlyMemory<byte> bytes, CancellationToken cancelled)
    {
        await Put(bytes, Length, cancelled);
        Length += bytes.Length;
    }

    /// <summary>For another part of the same size.</summary>
    public virtual void Clear() => Length = 0;

    public abstract S3Digest Digest();

    /// <summary>See <see cref="S3Checksum"/>.</summary>
    public abstract string Checksum();

    /// <summary>As many bytes from the offset on as fit, 0 at the end.</summary>
    public abstract ValueTask<int> Read(long offset, Memory<byte> to, CancellationToken cancelled);

    public abstract void Dispose();

    protected abstract ValueTask Put(ReadOnlyMemory<byte> bytes, long offset, CancellationToken cancelled);

    sealed class InMemory(byte[] room) : PartBuffer(room.Length)
    {
        public override S3Digest Digest() => S3Digest.Of(Filled.Span);
        public override string Checksum() => S3Checksum.Of(Crc32.HashToUInt32(Filled.Span));

        public override ValueTask<int> Read(long offset, Memory<byte> to, CancellationToken cancelled)
        {
            var rest = Filled[(int)offset..];
            var length = Math.Min(rest.Length, to.Length);
            rest[..length].CopyTo(to);
            return ValueTask.FromResult(length);
        }

        public override void Dispose()
        {
        }

        protected override ValueTask Put(ReadOnlyMemory<byte> bytes, long offset, CancellationToken cancelled)
        {
            bytes.CopyTo(room.AsMemory((int)offset));
            return ValueTask.CompletedTask;
        }

        ReadOnlyMemory<byte> Filled => room.AsMemory(0, (int)Length);
    }

    /// <summary>A file without a name: whatever ends this process, nothing of it stays. Digests are those of what was put in, so that the server refuses what the disk gives back as something else.</summary>
    sealed class InFile : PartBuffer
    {
        readonly SafeFileHandle _file;
        readonly IncrementalHash _digest = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        readonly Crc32 _checksum = new();

        readonly string _folder;

        public InFile(long size, string folder) : base(size)
        {
            _folder = folder;
            try
            {
                var path = Path.Combine(folder, $".part-{Guid.NewGuid():N}");
                _file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.Asynchronous);
                File.Delete(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw NotKept(e);
            }
        }

        public override S3Digest Digest() => new(_digest.GetCurrentHash());
        public override string Checksum() => S3Checksum.Of(_checksum.GetCurrentHashAsUInt32());

        public override ValueTask<int> Read(long offset, Memory<byte> to, CancellationToken cancelled) =>
            RandomAccess.ReadAsync(_file, to[..(int)Math.Min(to.Length, Length - offset)], offset, cancelled);

        public override void Clear()
        {
            base.Clear();
            _digest.GetHashAndReset();
            _checksum.Reset();
        }

        public override void Dispose()
        {
            _file.Dispose();
            _digest.Dispose();
        }

        protected override async ValueTask Put(ReadOnlyMemory<byte> bytes, long offset, CancellationToken cancelled)
        {
            _digest.AppendData(bytes.Span);
            _checksum.Append(bytes.Span);
            try
            {
                await RandomAccess.WriteAsync(_file, bytes, offset, cancelled);
            }
            catch (IOException e)
            {
                throw NotKept(e);
            }
        }

        StepFailedException NotKept(Exception e) => new(FailureClass.Transient, $"A part of {ByteSize.Words(Size)} cannot be kept in {_folder} until it is sent: {e.Message}",
            "The folder needs room for as many parts as are sent at once, and one more: make room, or set a smaller `parallel`; then resume.", e);
    }
}
