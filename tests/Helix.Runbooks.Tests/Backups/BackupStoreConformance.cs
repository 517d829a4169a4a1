using System.Text;
using Helix.Runbooks.Steps;
using Helix.Steps.Backups;

namespace Helix.Runbooks.Tests.Backups;

/// <summary>What every kind of store must do. One derived class for each kind.</summary>
public abstract class BackupStoreConformance
{
    static readonly CancellationToken Never = CancellationToken.None;

    /// <summary>A store with nothing in it.</summary>
    protected abstract Task<BackupStore> Empty();

    [Fact]
    public async Task An_object_is_read_back_byte_for_byte()
    {
        await using var store = await Empty();
        foreach (var size in new[] { 0, 1, 1 << 20, (12 << 20) + 17 })
        {
            var bytes = Bytes(size);
            await Put(store, $"a/{size}.bin", bytes);
            Assert.Equal(bytes, await Get(store, $"a/{size}.bin"));
            Assert.Equal(size, (await store.Stat($"a/{size}.bin", Never))!.Size);
        }
    }

    [Fact]
    public async Task An_empty_object_is_not_adopted_and_the_refusal_says_why()
    {
        await using var store = await Empty();
        await Put(store, "a/empty", []);
        var adopted = new BackupSeries(store, "a/").Adopt("a/empty", DateTimeOffset.UnixEpoch, "k", "alice", DateTimeOffset.UnixEpoch.AddDays(1), Never);
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => adopted);
        Assert.Equal(FailureClass.InvalidData, failure.Failure);
        Assert.Contains("a/empty", failure.Message, StringComparison.Ordinal);
        Assert.Contains("is empty", failure.Message, StringComparison.Ordinal);
        Assert.Null(await store.ReadSmall(BackupKey.Manifest("a/empty"), Never));
    }

    [Fact]
    public async Task A_range_is_exactly_what_was_asked_for()
    {
        await using var store = await Empty();
        var bytes = Bytes(100_000);
        await Put(store, "a/b.bin", bytes);
        foreach (var (offset, length) in new[] { (0, 1), (99_999, 1), (500, 4_000), (50_000, 50_000) })
        {
            await using var part = await store.Read("a/b.bin", offset, length, Never);
            using var read = new MemoryStream();
            await part.CopyToAsync(read);
            Assert.Equal(bytes.AsSpan(offset, length).ToArray(), read.ToArray());
        }
        await using var rest = await store.Read("a/b.bin", 99_000, null, Never);
        using var tail = new MemoryStream();
        await rest.CopyToAsync(tail);
        Assert.Equal(1_000, tail.Length);
    }

    [Fact]
    public async Task Nothing_is_visible_before_the_commit()
    {
        await using var store = await Empty();
        await using (var upload = await store.Create("a/b.bin", new(), Never))
        {
            await upload.WriteAsync(Bytes(7 << 20));
            Assert.Null(await store.Stat("a/b.bin", Never));
            Assert.Empty(await Keys(store, "a/"));
        }
        Assert.Null(await store.Stat("a/b.bin", Never));
        Assert.Empty(await Keys(store, "a/"));
    }

    [Fact]
    public async Task An_abandoned_upload_leaves_the_old_object_as_it_was()
    {
        await using var store = await Empty();
        await Put(store, "a/b.bin", Bytes(100));
        await using (var upload = await store.Create("a/b.bin", new(), Never))
            await upload.WriteAsync(Bytes(6 << 20));
        Assert.Equal(Bytes(100), await Get(store, "a/b.bin"));
    }

    [Fact]
    public async Task What_was_committed_and_turned_out_wrong_is_gone_when_it_is_abandoned()
    {
        await using var store = await Empty();
        foreach (var size in new[] { 100, 7 << 20 })
        {
            await using var upload = await store.Create("a/b.bin", new(), Never);
            await upload.WriteAsync(Bytes(size));
            await upload.Commit(Never);
            await upload.Abandon(Never);
            Assert.Empty(await Keys(store, "a/"));
        }
    }

    [Fact]
    public async Task A_listing_holds_what_starts_with_the_prefix_and_nothing_else()
    {
        await using var store = await Empty();
        foreach (var key in new[] { "redis/1", "redis/2", "redis/deep/3", "redis-old/4", "neo4j/5" })
            await Put(store, key, Bytes(10));
        Assert.Equal(["redis/1", "redis/2", "redis/deep/3"], await Keys(store, "redis/"));
        Assert.Equal(["neo4j/5"], await Keys(store, "neo4j/"));
        Assert.Empty(await Keys(store, "vault/"));
    }

    [Fact]
    public async Task Keys_may_hold_spaces_and_letters_of_any_language()
    {
        await using var store = await Empty();
        foreach (var key in new[] { "a/with space", "a/größe", "a/日本", "a/plus+and%25", "a/quote'\"&<>" })
        {
            await Put(store, key, Encoding.UTF8.GetBytes(key));
            Assert.Equal(key, Encoding.UTF8.GetString(await Get(store, key)));
        }
        Assert.Equal(5, (await Keys(store, "a/")).Count);
    }

    [Fact]
    public async Task Deleting_twice_is_done_both_times()
    {
        await using var store = await Empty();
        await Put(store, "a/b", Bytes(10));
        await store.Delete("a/b", Never);
        await store.Delete("a/b", Never);
        Assert.Null(await store.Stat("a/b", Never));
    }

    [Fact]
    public async Task Reading_what_is_not_there_says_that_it_is_missing()
    {
        await using var store = await Empty();
        var failure = await Assert.ThrowsAsync<StepFailedException>(async () => await Get(store, "a/none"));
        Assert.Equal(FailureClass.Missing, failure.Failure);
        Assert.Contains("a/none", failure.Message, StringComparison.Ordinal);
        Assert.Null(await store.ReadSmall("a/none", Never));
    }

    [Fact]
    public async Task A_small_object_is_replaced_only_by_who_knows_the_one_before()
    {
        await using var store = await Empty();
        await store.Replace("a/m", "one"u8.ToArray(), null, Never);
        var (bytes, tag) = (await store.ReadSmall("a/m", Never))!.Value;
        Assert.Equal("one"u8.ToArray(), bytes);
        await store.Replace("a/m", "two"u8.ToArray(), tag, Never);
        var late = await Assert.ThrowsAsync<StepFailedException>(() => store.Replace("a/m", "three"u8.ToArray(), tag, Never));
        Assert.Equal(FailureClass.Conflict, late.Failure);
        var second = await Assert.ThrowsAsync<StepFailedException>(() => store.Replace("a/m", "four"u8.ToArray(), null, Never));
        Assert.Equal(FailureClass.Conflict, second.Failure);
        Assert.Equal("two"u8.ToArray(), (await store.ReadSmall("a/m", Never))!.Value.Bytes);
    }

    [Fact]
    public async Task Of_many_who_create_the_same_small_object_one_wins()
    {
        await using var store = await Empty();
        var tries = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            try
            {
                await store.Replace("a/m", Encoding.UTF8.GetBytes($"{i}"), null, Never);
                return i;
            }
            catch (StepFailedException e) when (e.Failure == FailureClass.Conflict)
            {
                return -1;
            }
        }));
        var winner = Assert.Single(tries, i => i >= 0);
        Assert.Equal($"{winner}", Encoding.UTF8.GetString((await store.ReadSmall("a/m", Never))!.Value.Bytes));
    }

    protected static byte[] Bytes(int size)
    {
        var bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        return bytes;
    }

    protected static async Task Put(BackupStore store, string key, byte[] bytes)
    {
        await using var upload = await store.Create(key, new(), Never);
        await upload.WriteAsync(bytes);
        await upload.Commit(Never);
    }

    protected static async Task<byte[]> Get(BackupStore store, string key)
    {
        await using var content = await store.Read(key, 0, null, Never);
        using var bytes = new MemoryStream();
        await content.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    protected static async Task<List<string>> Keys(BackupStore store, string prefix)
    {
        var keys = new List<string>();
        await foreach (var item in store.List(prefix, Never))
            keys.Add(item.Key);
        keys.Sort(StringComparer.Ordinal);
        return keys;
    }
}
