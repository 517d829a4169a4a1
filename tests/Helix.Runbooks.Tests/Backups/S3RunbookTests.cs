using System.Text.Json.Nodes;
using Helix.Runbooks.Tests.Cli;
using Helix.Runbooks.Tests.Redis;

namespace Helix.Runbooks.Tests.Backups;

/// <summary>The shipped runbooks through the real executable, with a real Redis and a real S3 server, killed on the way there and back.</summary>
public sealed class S3RunbookTests(CephS3 ceph) : IDisposable
{
    const int Killed = 137;

    readonly string _folder = Directory.CreateTempSubdirectory("helix-s3-").FullName;
    readonly TestHost _host = new();
    RedisServer _redis = null!;
    string _environment = "";

    [Fact]
    public async Task A_backup_to_s3_and_its_restore_are_killed_twice_each_and_end_with_the_keys_of_before()
    {
        await using var redis = _redis = await RedisServer.Start("secret");
        await redis.Fill(2000);
        await redis.Send("EVAL", "redis.call('SET', 'quickstart:schema', '1'); for i = 1, 300 do local t = {}; for j = 1, 1500 do t[j] = redis.sha1hex(i .. '.' .. j) end redis.call('SET', 'big:' .. i, table.concat(t)) end", "0");
        await Environment();

        var backup = await RunKilled(["run", Repository.Runbooks("backup-redis.yaml"), "-e", _environment, "--unattended"], "point:effect:store:1");
        Assert.Equal(Killed, (await Helix("append:3:after", "resume", backup)).Code);
        var (code, _, error) = await Helix(null, "resume", backup);
        Assert.True(code == 0, error);
        var listed = await Helix(null, "backups", "list", "-e", _environment, "--target", "backups", "--prefix", "redis/", "--json");
        var one = Assert.Single(JsonNode.Parse(listed.Out)!["backups"]!.AsArray())!;
        Assert.Equal("complete", one["state"]!.ToString());
        Assert.True(one["size"]!.GetValue<long>() > 8 << 20, "more than one part");

        await redis.Send("FLUSHALL");
        var restore = await RunKilled(["run", Repository.Runbooks("redis-restore.yaml"), "-e", _environment, "--unattended"], "point:effect:fetch:1");
        Assert.Equal(4, (await Helix(null, "resume", restore)).Code);
        Assert.Equal(0, (await Helix(null, "approve", restore, "go", "--reason", "the only one")).Code);
        Assert.Equal(Killed, (await Helix("point:effect:restore:1", "resume", restore)).Code);
        (code, _, error) = await Helix(null, "resume", restore);
        if (code == 4)
        {
            // Killed in the middle of a load, the step may be in doubt: then people say what to do.
            Assert.Equal(0, (await Helix(null, "decide", restore, "retry", "--reason", "looked at it")).Code);
            (code, _, error) = await Helix(null, "resume", restore);
        }
        Assert.True(code == 0, error);
        Assert.Equal(2301, await redis.Keys());
        Assert.Equal(0, (await Helix(null, "verify-record", restore)).Code);
        await Proven(one["key"]!.ToString(), backup, restore);
    }

    /// <summary>Only a run that fetched it and ended well proves a backup.</summary>
    async Task Proven(string key, string backup, string restore)
    {
        string[] prove = ["backups", "prove", key, "-e", _environment, "--target", "backups", "--run"];
        var refused = await Helix(null, [.. prove, backup]);
        Assert.Equal(2, refused.Code);
        Assert.Contains("has not fetched", refused.Error);
        Assert.Equal(0, (await Helix(null, [.. prove, restore, "--note", "the quarterly drill"])).Code);
        string[] list = ["backups", "list", "-e", _environment, "--target", "backups", "--prefix", "redis/", "--rpo"];
        var fresh = await Helix(null, [.. list, "1h"]);
        Assert.Equal(0, fresh.Code);
        Assert.Contains("with the newest proven backup", fresh.Error);
        var stale = await Helix(null, [.. list, "1ms"]);
        Assert.Equal(3, stale.Code);
        Assert.Contains("beyond the objective", stale.Error);
    }

    async Task<string> RunKilled(string[] arguments, string failpoint)
    {
        Assert.Equal(Killed, (await Helix(failpoint, arguments)).Code);
        return NewestRun.In(Path.Combine(_folder, "helix.db"));
    }

    async Task<(int Code, string Out, string Error)> Helix(string? failpoint, params string[] arguments)
    {
        using var process = new HelixProcess(Path.Combine(_folder, "helix.db"), arguments,
            ("QUICKSTART_PASSWORD", "secret"), ("QUICKSTART_WRONG_PASSWORD", "wrong"), ("S3_ACCESS_KEY", CephS3.AccessKey), ("S3_SECRET_KEY", CephS3.SecretKey),
            ("BACKUP_KEY", Convert.ToBase64String(new byte[32])), ("HELIX_FAILPOINT", failpoint ?? ""));
        return await process.End();
    }

    /// <summary>The shipped environment with the ports, bucket and person of this machine.</summary>
    async Task Environment()
    {
        var bucket = (await ceph.Bucket(_host)).Bucket;
        var text = await File.ReadAllTextAsync(Repository.Runbooks("environments", "s3-local.yaml"));
        _environment = Path.Combine(_folder, "s3-local.yaml");
        await File.WriteAllTextAsync(_environment, text
            .Replace("127.0.0.1:16379", $"127.0.0.1:{_redis.Port}", StringComparison.Ordinal)
            .Replace("pidFile: redis/redis.pid, directory: redis, log: redis/redis.log", $"pidFile: {_redis.PidFile}, directory: {_redis.Folder}, log: {_redis.LogFile}", StringComparison.Ordinal)
            .Replace("http://127.0.0.1:9000", ceph.Endpoint, StringComparison.Ordinal)
            .Replace("bucket: helix-backups", $"bucket: {bucket}", StringComparison.Ordinal)
            .Replace("[you]", $"[{System.Environment.UserName}]", StringComparison.Ordinal));
    }

    public void Dispose()
    {
        _host.Dispose();
        TempFolder.Delete(_folder);
    }
}
