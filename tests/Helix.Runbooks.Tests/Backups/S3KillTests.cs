using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Cli;
using Helix.Steps.Backups;
using Helix.Steps.Files;

namespace Helix.Runbooks.Tests.Backups;

/// <summary>The real executable, killed while an object is half way there or back; a real S3 server behind a proxy that counts.</summary>
public sealed class S3KillTests(CephS3 ceph) : IAsyncLifetime
{
    const int Killed = 137;

    readonly string _folder = Directory.CreateTempSubdirectory("helix-s3-").FullName;
    readonly TestHost _host = new();
    FaultProxy _proxy = null!;

    public async ValueTask InitializeAsync()
    {
        var target = await ceph.Bucket(_host);
        _proxy = new FaultProxy(ceph.Endpoint);
        _host.Add("backups", target);
        await Write("environment.yaml", $$"""
            apiVersion: helix.runbooks/v1
            name: environment
            targets:
              backups:
                kind: s3
                endpoint: {{_proxy.Endpoint}}
                bucket: {{target.Bucket}}
                accessKey: env:S3_ACCESS_KEY
                secretKey: env:S3_SECRET_KEY
                partSize: 5MiB
                parallel: 1
            """);
    }

    [Fact]
    public async Task Parts_that_were_there_before_a_kill_are_not_sent_again()
    {
        var content = Content(17_000_003); // four parts of 5 MiB
        await Book("store", $"uses: backup.upload, with: {{ target: backups, file: {_host.Write("dump", content)}, prefix: redis/, name: x, kind: k, recoveryPoint: \"2026-03-01T12:00:00Z\", compression: none }}");
        // One part at a time: the third is sent once the second stands in the journal.
        var run = await RunKilled("store", r => r is { IsPart: true, Part: 3 }, () => _proxy.Requests.Any(r => r is { IsPart: true, Part: 3 }));
        Assert.Equal(["part.1", "part.2"], Saved("part."));
        var (code, _, error) = await Helix("resume", run);
        Assert.True(code == 0, error);
        Assert.Equal([3, 4], _proxy.Requests.Where(r => r.IsPart).Select(r => r.Part));
        Assert.Equal(content, await Fetched("redis/x"));
    }

    [Fact]
    public async Task An_object_that_lacked_only_its_manifest_at_a_kill_is_not_sent_again()
    {
        var content = Content(11_000_003);
        await Book("store", $"uses: backup.upload, with: {{ target: backups, file: {_host.Write("dump", content)}, prefix: redis/, name: x, kind: k, recoveryPoint: \"2026-03-01T12:00:00Z\", compression: none }}");
        var run = await RunKilled("store", IsManifest, () => _proxy.Requests.Any(IsManifest));
        var (code, _, error) = await Helix("resume", run);
        Assert.True(code == 0, error);
        Assert.DoesNotContain(_proxy.Requests, r => r.IsPart);
        Assert.Equal(content, await Fetched("redis/x"));
    }

    static bool IsManifest(ProxiedRequest request) => request.Method == "PUT" && request.Path.Contains(BackupKey.Manifest("redis/x"), StringComparison.Ordinal);

    [Fact]
    public async Task Ranges_that_were_there_before_a_kill_are_not_fetched_again()
    {
        var content = Content(40_000_000); // three ranges of 16 MiB
        await _host.Run(new BackupUpload(), new()
        {
            Target = "backups",
            File = _host.Write("dump", content),
            Prefix = "redis/",
            Name = "x",
            Kind = "k",
            RecoveryPoint = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero),
            Compression = Compression.None,
        });
        var to = Path.Combine(_folder, "fetched");
        await Book("fetch", $"uses: backup.download, with: {{ target: backups, backup: redis/x, to: {to} }}");
        var gets = 0;
        var run = await RunKilled("fetch", r => IsRange(r) && Interlocked.Increment(ref gets) > 1, () => Saved("range.").Count == 1);
        var (code, _, error) = await Helix("resume", run);
        Assert.True(code == 0, error);
        Assert.Equal(2, _proxy.Requests.Count(IsRange));
        Assert.Equal(content, await File.ReadAllBytesAsync(to));
    }

    static bool IsRange(ProxiedRequest request) => request.Method == "GET" && request.Path.EndsWith("/redis/x", StringComparison.Ordinal);

    /// <summary>Starts a run, in which what is said stalls, and kills it once it has come so far.</summary>
    async Task<string> RunKilled(string book, Func<ProxiedRequest, bool> stalled, Func<bool> come)
    {
        _proxy.Rule = r => stalled(r) ? new(FaultKind.Stall) : null;
        using (var process = Start("run", Path.Combine(_folder, $"{book}.yaml"), "-e", Path.Combine(_folder, "environment.yaml"), "--unattended"))
        {
            await Eventually.True(come, "the run has come to the middle of the object");
            process.Kill();
            Assert.Equal(Killed, (await process.End()).Code);
        }
        _proxy.Rule = _ => null;
        _proxy.Requests.Clear();
        return NewestRun.In(Path.Combine(_folder, "helix.db"));
    }

    /// <summary>What stands in the journal of the one run that there is.</summary>
    List<string> Saved(string start)
    {
        using var store = JournalStore.Open(Path.Combine(_folder, "helix.db"), TimeProvider.System);
        return [.. store.OpenRuns().SelectMany(o => store.Read(o.Run)).Select(e => e.Event).OfType<StepSaved>().Select(s => s.Key).Where(k => k.StartsWith(start, StringComparison.Ordinal))];
    }

    async Task<byte[]> Fetched(string key)
    {
        await using var store = await _host.Context().Target<BackupTarget>("backups").Open(_host.Context());
        await BackupReader.ReadAll(store, (await new BackupSeries(store, "redis/").Show(key)).Manifest!, new());
        await using var content = await store.Read(key, 0, null, default);
        using var bytes = new MemoryStream();
        await content.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    async Task<(int Code, string Out, string Error)> Helix(params string[] arguments)
    {
        using var process = Start(arguments);
        return await process.End();
    }

    HelixProcess Start(params string[] arguments) =>
        new(Path.Combine(_folder, "helix.db"), arguments, ("S3_ACCESS_KEY", CephS3.AccessKey), ("S3_SECRET_KEY", CephS3.SecretKey));

    Task Book(string name, string step) => Write($"{name}.yaml", $"apiVersion: helix.runbooks/v1\nname: {name}\ntitle: {name}\ndescription: Moves one object.\nowner: tests\nsteps:\n  - {{ id: {name}, {step} }}\n");

    Task Write(string name, string text) => File.WriteAllTextAsync(Path.Combine(_folder, name), text);

    static byte[] Content(int size)
    {
        var bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        return bytes;
    }

    public ValueTask DisposeAsync()
    {
        _proxy.Dispose();
        _host.Dispose();
        TempFolder.Delete(_folder);
        return ValueTask.CompletedTask;
    }
}
