using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;
using Microsoft.Win32.SafeHandles;

namespace Helix.Steps.Backups;

/// <summary>Brings a backup into a file: stored bytes in parallel ranges into a spool, which is unpacked meanwhile. A resume fetches only the ranges that are missing.</summary>
sealed class BackupFetch(BackupStore store, BackupManifest manifest, string path, UploadMemory memory, Transfer transfer)
{
    const int Parallel = 4;
    const long SmallestRange = 16 << 20;
    const int MostRanges = 1000;

    readonly string _spool = Path.Combine(Path.GetDirectoryName(path)!, $".{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path + manifest.Stored.Sha256)).AsSpan(0, 12))}.spool");
    readonly long _range = Math.Max(SmallestRange, (manifest.Stored.Size + MostRanges - 1) / MostRanges);

    /// <summary>The file has its name only once both digests fit.</summary>
    public Task ToFile() => Disk.Guard(path, async () =>
    {
        Durable.CreateFolder(Path.GetDirectoryName(path)!);
        var resumed = File.Exists(_spool) && new FileInfo(_spool).Length == manifest.Stored.Size;
        try
        {
            await Once(resumed);
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.InvalidData)
        {
            // The network may have damaged it, and after a power cut the spool may lack what was recorded: once more before the backup is blamed.
            transfer.Log($"{e.Message} It is fetched once more from its beginning.");
            await Once(resumed: false);
        }
        return true;
    });

    async Task Once(bool resumed)
    {
        var ranges = Enumerable.Range(0, (int)((manifest.Stored.Size + _range - 1) / _range)).Select(_ => new TaskCompletionSource()).ToArray();
        var plain = manifest.Compression == Compression.None && manifest.Encryption is null;
        var temporary = plain ? _spool : Unfinished.NameFor(path);
        Unfinished.RemoveAbandoned(path);
        try
        {
            using (var spool = File.OpenHandle(_spool, resumed ? FileMode.Open : FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite, FileOptions.Asynchronous))
            {
                RandomAccess.SetLength(spool, manifest.Stored.Size);
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(transfer.Cancelled);
                await Both(Fetch(spool, ranges, resumed, stop), Unpack(spool, ranges, plain ? null : temporary, stop), stop);
                if (plain)
                    RandomAccess.FlushToDisk(spool);
            }
            Durable.Rename(temporary, path);
            File.Delete(_spool);
        }
        catch (Exception e) when (e is StepFailedException { Failure: FailureClass.InvalidData or FailureClass.Missing } or IOException)
        {
            File.Delete(_spool);
            throw;
        }
        finally
        {
            if (!plain)
                File.Delete(temporary);
        }
    }

    /// <summary>The first to fail ends the other, and its failure is the one that counts.</summary>
    static async Task Both(Task one, Task other, CancellationTokenSource stop)
    {
        var first = await Task.WhenAny(one, other);
        if (!first.IsCompletedSuccessfully)
            await stop.CancelAsync();
        var second = first == one ? other : one;
        await Task.WhenAny(second);
        await first;
        await second;
    }

    async Task Fetch(SafeFileHandle spool, TaskCompletionSource[] ranges, bool resumed, CancellationTokenSource stop)
    {
        var limits = new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = stop.Token };
        await System.Threading.Tasks.Parallel.ForEachAsync(Enumerable.Range(0, ranges.Length), limits, async (i, cancelled) =>
        {
            if (!(resumed && memory.Saved($"range.{i}") is not null))
            {
                await FetchRange(spool, i * _range, Math.Min(_range, manifest.Stored.Size - i * _range), cancelled);
                await memory.Save($"range.{i}", JsonValue.Create(true));
            }
            ranges[i].SetResult();
        });
    }

    async Task FetchRange(SafeFileHandle spool, long offset, long length, CancellationToken cancelled)
    {
        await using var from = await store.Read(manifest.Key, offset, length, cancelled);
        var buffer = new byte[(int)Math.Min(SteadyWriter.Piece, length)];
        var end = offset + length;
        for (int read; (read = await from.ReadAtLeastAsync(buffer, (int)Math.Min(buffer.Length, end - offset), throwOnEndOfStream: false, cancelled)) > 0; offset += read)
            await RandomAccess.WriteAsync(spool, buffer.AsMemory(0, read), offset, cancelled);
        if (offset != end)
            throw StepFailedException.InvalidData($"{store.Place} has only {offset} bytes of {manifest.Key} instead of {manifest.Stored.Size}.", $"Reject it: helix backups reject {manifest.Key} -e … --reason …");
    }

    async Task Unpack(SafeFileHandle spool, TaskCompletionSource[] ranges, string? to, CancellationTokenSource stop)
    {
        await using var bytes = new Following(spool, ranges, _range, manifest.Stored.Size);
        var inside = transfer with { Cancelled = stop.Token };
        if (to is null)
        {
            await BackupReader.Decode(store, manifest, bytes, Stream.Null, inside);
            return;
        }
        await using var file = new SteadyWriter(to);
        await BackupReader.Decode(store, manifest, bytes, file, inside);
        await file.Finish();
    }

    /// <summary>Reads the spool in order, waiting for each range until it is there.</summary>
    sealed class Following(SafeFileHandle spool, TaskCompletionSource[] ranges, long range, long size) : OneWayStream
    {
        long _at;

        public override bool CanRead => true;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_at == size)
                return 0;
            var index = _at / range;
            await ranges[index].Task.WaitAsync(cancellationToken);
            var most = (int)Math.Min(buffer.Length, Math.Min((index + 1) * range, size) - _at);
            var read = await RandomAccess.ReadAsync(spool, buffer[..most], _at, cancellationToken);
            _at += read;
            return read;
        }
    }
}
