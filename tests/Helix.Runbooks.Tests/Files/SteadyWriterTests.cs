using CsCheck;
using Helix.Steps.Files;

namespace Helix.Runbooks.Tests.Files;

public sealed class SteadyWriterTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("helix-steady-").FullName;
    int _files;

    [Fact]
    public Task What_was_written_in_whatever_pieces_stands_in_the_file_in_order() =>
        Gen.Select(Gen.Int[0, 400_000].Array[0, 6], Gen.Long[1, 300_000]).SampleAsync(async (lengths, between) =>
        {
            var content = new byte[lengths.Sum()];
            new Random(lengths.Length).NextBytes(content);
            var path = Path.Combine(_folder, $"{Interlocked.Increment(ref _files)}");
            await using (var file = new SteadyWriter(path, between))
            {
                for (int n = 0, at = 0; n < lengths.Length; at += lengths[n++])
                    await file.WriteAsync(content.AsMemory(at, lengths[n]));
                await file.Finish();
            }
            Assert.Equal(content, File.ReadAllBytes(path));
            File.Delete(path);
        }, iter: 200);

    [Fact]
    public async Task A_file_that_is_there_is_left_alone()
    {
        var path = Path.Combine(_folder, "there");
        File.WriteAllText(path, "mine");
        Assert.Throws<IOException>(() => new SteadyWriter(path));
        Assert.Equal("mine", await File.ReadAllTextAsync(path));
    }

    public void Dispose() => TempFolder.Delete(_folder);
}
