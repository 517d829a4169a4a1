using System.Text;
using CsCheck;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Backups;
using Helix.Steps.Redis;

namespace Helix.Runbooks.Tests.Redis;

public sealed class RdbFileTests
{
    [Fact]
    public void The_checksum_has_the_published_check_value() =>
        Assert.Equal(0xE9C6D914C4B8D9CAUL, RdbChecksum.Append(0, "123456789"u8));

    [Fact]
    public void The_checksum_does_not_depend_on_how_the_bytes_are_cut() =>
        Gen.Select(Gen.Byte.Array[0, 200], Gen.Int[0, 200]).Sample((bytes, cut) =>
        {
            cut = Math.Min(cut, bytes.Length);
            Assert.Equal(RdbChecksum.Append(0, bytes), RdbChecksum.Append(RdbChecksum.Append(0, bytes.AsSpan(0, cut)), bytes.AsSpan(cut)));
        });

    [Fact]
    public async Task Keys_of_every_type_and_database_are_counted()
    {
        await using var server = await RedisServer.Start();
        await Fill(server);

        var file = await Saved(server);

        Assert.Equal(10, file.Version);
        Assert.Equal("7.0.15", file.ServerVersion);
        Assert.Equal(new Dictionary<string, long> { ["db0"] = 13 + 300, ["db0_expiring"] = 2, ["db7"] = 1 }, file.Counts!.ToOutputs());
    }

    [Fact]
    public async Task A_changed_bit_anywhere_or_a_cut_is_found()
    {
        await using var server = await RedisServer.Start();
        await Fill(server);
        var sound = await Saved(server);
        var bytes = await File.ReadAllBytesAsync(sound.Path);
        var path = Path.Combine(server.Folder, "bad.rdb");

        for (var at = 0; at < bytes.Length; at += 97)
        {
            var bad = bytes.ToArray();
            bad[at] ^= 0x10;
            await File.WriteAllBytesAsync(path, bad);
            await IsRefused(path);
        }
        foreach (var length in new[] { 0, 5, 9, 17, bytes.Length / 2, bytes.Length - 1 })
        {
            await File.WriteAllBytesAsync(path, bytes[..length]);
            await IsRefused(path);
        }
    }

    [Fact]
    public async Task Without_a_checksum_the_content_itself_must_be_whole()
    {
        await using var server = await RedisServer.Start(null, "rdbchecksum no");
        await Fill(server);
        var sound = await Saved(server);
        Assert.Equal(314, sound.Counts!.Total);
        var path = Path.Combine(server.Folder, "bad.rdb");
        var bytes = await File.ReadAllBytesAsync(sound.Path);
        await File.WriteAllBytesAsync(path, [.. bytes[..(bytes.Length / 2)], .. bytes[^8..]]);

        await IsRefused(path);
    }

    static async Task IsRefused(string path) =>
        Assert.Equal(FailureClass.InvalidData, (await Assert.ThrowsAsync<StepFailedException>(() => RdbFile.Read(path, default))).Failure);

    static async Task<RdbFile> Saved(RedisServer server)
    {
        await server.Send("SAVE");
        return await RdbFile.Read(server.DataFile, default);
    }

    static async Task Fill(RedisServer server)
    {
        await using var redis = await server.Connect();
        var db = redis.GetDatabase(0);
        await db.StringSetAsync("text", "value");
        await db.StringSetAsync("number", 12345);
        await db.StringSetAsync("long", new string('a', 100_000));
        await db.StringSetAsync("dying", "x", TimeSpan.FromHours(1));
        await db.StringSetAsync("dying2", "x", TimeSpan.FromHours(2));
        await db.ListRightPushAsync("list", [.. Enumerable.Range(0, 5000).Select(i => (StackExchange.Redis.RedisValue)$"element {i}")]);
        await db.SetAddAsync("set", [.. Enumerable.Range(0, 600).Select(i => (StackExchange.Redis.RedisValue)$"m{i}")]);
        await db.SetAddAsync("intset", [1, 2, 3]);
        await db.SortedSetAddAsync("zset", [.. Enumerable.Range(0, 600).Select(i => new StackExchange.Redis.SortedSetEntry($"m{i}", i + 0.5))]);
        await db.SortedSetAddAsync("small zset", "m", double.PositiveInfinity);
        await db.HashSetAsync("hash", [.. Enumerable.Range(0, 600).Select(i => new StackExchange.Redis.HashEntry($"f{i}", "v"))]);
        await db.HashSetAsync("small hash", "f", "v");
        for (var i = 0; i < 500; i++)
            await db.StreamAddAsync("stream", "f", i, flags: StackExchange.Redis.CommandFlags.FireAndForget);
        await db.StreamCreateConsumerGroupAsync("stream", "group", "0");
        await db.StreamReadGroupAsync("stream", "group", "reader", ">", 10);
        await redis.GetDatabase(7).StringSetAsync("other", "value");
        await server.Send("FUNCTION", "LOAD", "#!lua name=mylib\nredis.register_function('f', function() return 1 end)");
        await server.Fill(300);
    }
}
