using System.Security.Cryptography;
using System.Text;
using Helix.Runbooks.Steps;
using Helix.Steps.Backups;

namespace Helix.Runbooks.Tests.Backups;

public sealed class BackupCipherTests : IDisposable
{
    readonly string _shelf = Directory.CreateTempSubdirectory("helix-shelf-").FullName;
    readonly TestHost _host = new();
    readonly Secret _key;

    public BackupCipherTests()
    {
        _key = _host.Canary("BACKUP_KEY", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        _host.Add("shelf", new DirectoryTarget { Path = _shelf, EncryptionKey = _key });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1 << 20)]
    [InlineData((1 << 20) + 1)]
    [InlineData(3_500_000)]
    public async Task What_was_encrypted_comes_back_and_nothing_of_it_can_be_read_in_the_store(int size)
    {
        var content = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("very secret content ", size / 20 + 1)))[..size];
        var up = await _host.Run(new BackupUpload(), Upload(content) with { Compression = Helix.Steps.Files.Compression.None });
        Assert.Equal(content, File.ReadAllBytes((await _host.Run(new BackupDownload(), Download())).File));
        Assert.DoesNotContain("secret content", Encoding.Latin1.GetString(File.ReadAllBytes(Path.Combine(_shelf, up.Key))), StringComparison.Ordinal);
        _host.AssertNoCanary(up, File.ReadAllText(Path.Combine(_shelf, up.Manifest)));
    }

    [Fact]
    public async Task Any_change_of_the_stored_bytes_is_found()
    {
        var up = await _host.Run(new BackupUpload(), Upload(new byte[2_500_000]) with { Compression = Helix.Steps.Files.Compression.None });
        var path = Path.Combine(_shelf, up.Key);
        var whole = File.ReadAllBytes(path);
        var record = (1 << 20) + 28;
        byte[] Swapped() => [.. whole[..44], .. whole[(44 + record)..(44 + 2 * record)], .. whole[44..(44 + record)], .. whole[(44 + 2 * record)..]];
        foreach (var wrong in new[] { Flip(whole, 3), Flip(whole, 20), Flip(whole, 42), Flip(whole, 50), Flip(whole, 2_000_000), Flip(whole, whole.Length - 1), Swapped(), whole[..(44 + record)], whole[..(44 + 2 * record)], whole[..100], whole[..10] })
        {
            await using var store = new DirectoryStore(_shelf) { Keys = new(BackupCipher.FromKey(_host.ValueOf(_key), "shelf"), []) };
            File.WriteAllBytes(path, wrong);
            // As if the manifest had been made to fit: only the cipher can see it now.
            var manifest = (await new BackupSeries(store, "redis/").Show(up.Key)).Manifest! with { Stored = new(wrong.Length, Convert.ToHexStringLower(SHA256.HashData(wrong))) };
            var failure = await Assert.ThrowsAsync<StepFailedException>(() => BackupReader.ReadAll(store, manifest, new()));
            Assert.Equal(FailureClass.InvalidData, failure.Failure);
        }
    }

    [Fact]
    public async Task Another_key_is_refused_by_name_and_an_older_one_still_reads()
    {
        await _host.Run(new BackupUpload(), Upload([1, 2, 3]));
        var other = _host.Canary("OTHER_KEY", Convert.ToHexString(RandomNumberGenerator.GetBytes(32)));
        _host.Add("wrong", new DirectoryTarget { Path = _shelf, EncryptionKey = other });
        _host.Add("rotated", new DirectoryTarget { Path = _shelf, EncryptionKey = other, DecryptionKeys = [_key] });
        var failure = await _host.Fails(FailureClass.Auth, new BackupDownload(), Download() with { Target = "wrong" });
        Assert.Contains("encrypted with the key", failure.Message, StringComparison.Ordinal);
        Assert.Equal(3, (await _host.Run(new BackupDownload(), Download() with { Target = "rotated" })).Size);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_encrypted_object_without_a_manifest_is_adopted_with_the_key_that_opens_it_and_can_be_restored(bool current)
    {
        var up = await _host.Run(new BackupUpload(), Upload(new byte[10_000]) with { Name = "dump.zst" });
        var (own, other) = (BackupCipher.FromKey(_host.ValueOf(_key), "shelf"), BackupCipher.FromKey(Convert.ToHexString(RandomNumberGenerator.GetBytes(32)), "shelf"));
        await using var store = new DirectoryStore(_shelf) { Keys = current ? new(own, [other]) : new(other, [own]) };
        var series = new BackupSeries(store, "redis/");
        var made = (await series.Show(up.Key)).Manifest!;
        await store.Delete(up.Manifest, default);

        var adopted = await series.Adopt(up.Key, made.RecoveryPoint, made.Kind, "alice", made.RecoveryPoint);

        Assert.Equal((made.Encryption, made.Compression, made.Content, made.Stored), (adopted.Encryption, adopted.Compression, adopted.Content, adopted.Stored));
        Assert.Equal(new byte[10_000], File.ReadAllBytes((await _host.Run(new BackupDownload(), Download())).File));
    }

    [Fact]
    public async Task An_encrypted_object_that_no_key_opens_is_not_adopted()
    {
        var up = await _host.Run(new BackupUpload(), Upload([1, 2, 3]));
        foreach (var keys in new[] { BackupKeys.None, new(BackupCipher.FromKey(Convert.ToHexString(RandomNumberGenerator.GetBytes(32)), "shelf"), []) })
        {
            await using var store = new DirectoryStore(_shelf) { Keys = keys };
            await store.Delete(up.Manifest, default);
            var failure = await Assert.ThrowsAsync<StepFailedException>(() => new BackupSeries(store, "redis/").Adopt(up.Key, up.RecoveryPoint, "k", "alice", up.RecoveryPoint));
            Assert.Equal((FailureClass.Auth, true), (failure.Failure, failure.Hint!.Contains("decryptionKeys", StringComparison.Ordinal)));
            Assert.Null(await store.ReadSmall(up.Manifest, default));
        }
    }

    [Fact]
    public async Task A_key_of_the_wrong_form_is_refused_without_showing_it()
    {
        _host.Add("bad", new DirectoryTarget { Path = _shelf, EncryptionKey = _host.Canary("BAD_KEY", "much-too-short") });
        await _host.Fails(FailureClass.InvalidData, new BackupUpload(), Upload([1]) with { Target = "bad" });
    }

    [Fact]
    public async Task The_same_salt_gives_the_same_bytes_and_another_one_others()
    {
        var cipher = BackupCipher.FromKey(_host.ValueOf(_key), "shelf");
        async Task<byte[]> Encrypt(UploadMemory memory)
        {
            using var to = new MemoryStream();
            await using (var stream = await cipher.Encrypt(to, memory))
                await stream.WriteAsync(new byte[1_500_000]);
            return to.ToArray();
        }
        var memory = UploadMemory.Of(_host.Context(), canGoOn: true);
        Assert.Equal(await Encrypt(memory), await Encrypt(memory));
        Assert.NotEqual(await Encrypt(UploadMemory.None), await Encrypt(UploadMemory.None));
    }

    /// <summary>Written from FORMAT.md alone.</summary>
    [Fact]
    public async Task The_format_is_the_one_that_the_page_describes()
    {
        var content = new byte[1_500_000];
        new Random(7).NextBytes(content);
        var up = await _host.Run(new BackupUpload(), Upload(content) with { Compression = Helix.Steps.Files.Compression.None });
        var bytes = File.ReadAllBytes(Path.Combine(_shelf, up.Key));
        var keys = HKDF.DeriveKey(HashAlgorithmName.SHA256, Convert.FromBase64String(_host.ValueOf(_key)), 64, bytes[8..40], [.. "helix-aes256gcm-1"u8, .. bytes[..44]]);
        using var aes = new AesGcm(keys.AsSpan(0, 32), 16);
        var plain = new List<byte>();
        for (var (at, i) = (44, 0); at < bytes.Length; i++)
        {
            var record = bytes[at..Math.Min(bytes.Length, at + 12 + (1 << 20) + 16)];
            at += record.Length;
            byte[] aad = [0, 0, 0, 0, 0, 0, 0, (byte)i, at == bytes.Length ? (byte)1 : (byte)0];
            var text = new byte[record.Length - 28];
            aes.Decrypt(record.AsSpan(0, 12), record.AsSpan(12, text.Length), record.AsSpan(12 + text.Length), text, aad);
            Assert.Equal(HMACSHA256.HashData(keys[32..], (byte[])[.. aad, .. text])[..12], record[..12]);
            plain.AddRange(text);
        }
        Assert.Equal(content, plain.ToArray());
    }

    BackupUploadOptions Upload(byte[] content) => new()
    {
        Target = "shelf",
        File = _host.Write("dump", content),
        Prefix = "redis/",
        Kind = "redis.rdb",
        RecoveryPoint = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero),
    };

    BackupDownloadOptions Download() => new() { Target = "shelf", Prefix = "redis/", Backup = "latest", To = Path.Combine(_host.Work, "out") };

    static byte[] Flip(byte[] bytes, int at)
    {
        var wrong = (byte[])bytes.Clone();
        wrong[at] ^= 1;
        return wrong;
    }

    public void Dispose()
    {
        _host.Dispose();
        TempFolder.Delete(_shelf);
    }
}
