using CsCheck;
using Helix.Runbooks.Steps;
using Helix.Steps.Backups;

namespace Helix.Runbooks.Tests.Backups;

public sealed class PartBufferTests : IDisposable
{
    const long Spooled = 25 << 20, Kept = 1 << 20;

    readonly string _folder = Directory.CreateTempSubdirectory("helix-parts-").FullName;

    [Fact]
    public void A_part_on_disk_is_the_same_as_one_in_memory_also_when_it_is_used_again() =>
        Gen.Byte.Array[0, 300].List[1, 8].List[1, 3].Sample(uses =>
        {
            using var onDisk = PartBuffer.Of(Spooled, _folder);
            using var inMemory = PartBuffer.Of(Kept, _folder);
            foreach (var pieces in uses)
            {
                onDisk.Clear();
                inMemory.Clear();
                foreach (var piece in pieces)
                {
                    Add(onDisk, piece);
                    Add(inMemory, piece);
                }
                Assert.Equal(inMemory.Length, onDisk.Length);
                Assert.Equal(inMemory.Digest().Hex, onDisk.Digest().Hex);
                Assert.Equal(inMemory.Checksum(), onDisk.Checksum());
                for (var from = 0L; from <= inMemory.Length; from += 37)
                    Assert.Equal(Rest(inMemory, from), Rest(onDisk, from));
            }
        });

    [Fact]
    public void It_lies_in_a_file_without_a_name_so_that_nothing_stays_whatever_ends_the_process()
    {
        using var onDisk = PartBuffer.Of(Spooled, _folder);
        Add(onDisk, new byte[100]);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
        Assert.Equal(100, Rest(onDisk, 0).Length);
    }

    [Fact]
    public void A_folder_that_does_not_take_it_is_named_and_a_resume_goes_on()
    {
        var e = Assert.Throws<StepFailedException>(() => PartBuffer.Of(Spooled, Path.Combine(_folder, "gone")));
        Assert.Equal(FailureClass.Transient, e.Failure);
        Assert.Contains("A part of 25 MiB cannot be kept in " + Path.Combine(_folder, "gone"), e.Message, StringComparison.Ordinal);
        Assert.Contains("parallel", e.Hint, StringComparison.Ordinal);
    }

    static void Add(PartBuffer buffer, byte[] bytes) => buffer.Add(bytes, default).AsTask().GetAwaiter().GetResult();

    static byte[] Rest(PartBuffer buffer, long from)
    {
        var rest = new List<byte>();
        var piece = new byte[101];
        for (int length; (length = buffer.Read(from, piece, default).AsTask().GetAwaiter().GetResult()) > 0; from += length)
            rest.AddRange(piece.AsSpan(0, length));
        return [.. rest];
    }

    public void Dispose() => TempFolder.Delete(_folder);
}
