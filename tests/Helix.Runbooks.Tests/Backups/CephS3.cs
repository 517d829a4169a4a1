using System.Diagnostics;
using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Helix.Runbooks.Steps;
using Helix.Steps.Backups;

[assembly: AssemblyFixture(typeof(Helix.Runbooks.Tests.Backups.CephS3))]

namespace Helix.Runbooks.Tests.Backups;

/// <summary>A real S3 server: one Ceph monitor, one OSD in memory, radosgw. Starts when a test first asks for it, and ends with the tests.</summary>
public sealed class CephS3 : IDisposable
{
    public const string AccessKey = "helixkey", SecretKey = "helixsecret";

    readonly Lock _lock = new();
    readonly List<Process> _running = [];
    readonly string _folder = Path.Combine(Path.GetTempPath(), $"hxs3-{Environment.ProcessId}"); // short: a socket's path has 107 bytes
    Task? _started;
    int _port, _buckets;

    public string Endpoint => $"http://127.0.0.1:{_port}";

    /// <summary>A target on a bucket of its own.</summary>
    internal async Task<S3Target> Bucket(TestHost host, string? endpoint = null, bool objectLock = false)
    {
        await Started();
        var bucket = $"bucket-{Interlocked.Increment(ref _buckets)}";
        using var client = Client();
        await client.PutBucketAsync(new Amazon.S3.Model.PutBucketRequest { BucketName = bucket, ObjectLockEnabledForBucket = objectLock });
        return new S3Target
        {
            Name = "s3",
            Bucket = bucket,
            Endpoint = endpoint ?? Endpoint,
            AccessKey = host.Canary("S3_ACCESS", AccessKey),
            SecretKey = host.Canary("S3_SECRET", SecretKey),
        };
    }

    /// <summary>The SDK itself, to look from outside.</summary>
    public AmazonS3Client Client() => new(new BasicAWSCredentials(AccessKey, SecretKey), new AmazonS3Config
    {
        ServiceURL = Endpoint,
        ForcePathStyle = true,
        AuthenticationRegion = "us-east-1",
        RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
        ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
    });

    public Process Gateway => _running[^1];

    public Task Started()
    {
        lock (_lock)
            _started ??= Start();
        return _started;
    }

    async Task Start()
    {
        if (!File.Exists("/usr/bin/radosgw") || !File.Exists("/usr/bin/ceph-mon") || !File.Exists("/usr/bin/ceph-osd"))
            Assert.Skip("NO REAL S3 SERVER: install ceph-mon ceph-osd ceph-common radosgw. Nothing about S3 was tested.");
        foreach (var name in new[] { "mon", "osd", "rgw", "run", "log" })
            Directory.CreateDirectory(Path.Combine(_folder, name));
        // S3, the monitor's two, and those of the other daemons.
        _port = Ports.Free(inARow: 24);
        var id = Guid.NewGuid();
        await File.WriteAllTextAsync(Path.Combine(_folder, "ceph.conf"), Configuration(id));
        await Call("monmaptool", "--create", "--fsid", $"{id}", "--addv", "a", $"[v2:127.0.0.1:{_port + 1},v1:127.0.0.1:{_port + 2}]", Path.Combine(_folder, "monmap"));
        await Call("ceph-mon", "-i", "a", "--mkfs", "--monmap", Path.Combine(_folder, "monmap"));
        Begin("ceph-mon", "-f", "-i", "a");
        var osd = Guid.NewGuid();
        await Call("ceph", "--connect-timeout", "120", "osd", "new", $"{osd}");
        await Call("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", $"{osd}");
        Begin("ceph-osd", "-f", "-i", "0");
        await Eventually.True(async () => (await Call("ceph", "osd", "stat")).Contains("1 up", StringComparison.Ordinal), "the OSD is up");
        StartGateway();
        using var http = new HttpClient();
        await Eventually.True(async () => (await http.GetAsync(Endpoint)).StatusCode == HttpStatusCode.OK, "radosgw answers");
        await Call("radosgw-admin", "-n", "client.rgw", "user", "create", "--uid=helix", "--display-name=helix", $"--access-key={AccessKey}", $"--secret-key={SecretKey}");
    }

    public void StartGateway() => Begin("radosgw", "-f", "-n", "client.rgw");

    void Begin(string file, params string[] arguments) => _running.Add(Process.Start(About(file, arguments))!);

    async Task<string> Call(string file, params string[] arguments)
    {
        using var process = Process.Start(About(file, arguments))!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{file} ended with {process.ExitCode}: {await error}");
    }

    ProcessStartInfo About(string file, string[] arguments)
    {
        // Servers write their logs to files; what they say on their pipes is little and stays unread.
        var about = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        about.Environment["CEPH_CONF"] = Path.Combine(_folder, "ceph.conf");
        return about;
    }

    string Configuration(Guid id) => $$"""
        [global]
        fsid = {{id}}
        mon host = [v2:127.0.0.1:{{_port + 1}},v1:127.0.0.1:{{_port + 2}}]
        public addr = 127.0.0.1
        cluster addr = 127.0.0.1
        public network = 127.0.0.0/8
        auth cluster required = none
        auth service required = none
        auth client required = none
        run dir = {{_folder}}/run
        admin socket = {{_folder}}/run/$name.asok
        pid file = {{_folder}}/run/$name.pid
        log file = {{_folder}}/log/$name.log
        osd pool default size = 1
        osd pool default min size = 1
        osd pool default pg num = 1
        osd pool default pgp num = 1
        osd crush chooseleaf type = 0
        mon allow pool size one = true
        mon warn on pool no redundancy = false
        mon max pg per osd = 1000
        osd pool default pg autoscale mode = off
        ms bind ipv6 = false
        ms type = async+posix
        # without cephx radosgw would insist on secure mode
        ms mon client mode = crc
        ms bind port min = {{_port + 3}}
        ms bind port max = {{_port + 23}}
        auth allow insecure global id reclaim = false
        [mon.a]
        mon data = {{_folder}}/mon
        # short rounds of the monitor: the start takes 1 s instead of 12
        paxos propose interval = 0.02
        paxos min wait = 0.01
        mon osd min up ratio = 0
        mon data avail warn = 1
        [osd.0]
        osd data = {{_folder}}/osd
        osd objectstore = memstore
        memstore device bytes = 2147483648
        osd max object name len = 2048
        [client.rgw]
        rgw frontends = beast endpoint=127.0.0.1:{{_port}} tcp_nodelay=1
        rgw data = {{_folder}}/rgw
        rgw run sync thread = false
        rgw enable usage log = false
        rgw enable ops log = false
        rgw enable static website = false
        rgw thread pool size = 64
        # deleted data leaves memory soon
        rgw gc obj min wait = 1
        rgw gc processor period = 2
        rgw gc processor max time = 2

        """;

    public void Dispose()
    {
        // The data is thrown away with the servers.
        foreach (var process in _running.AsEnumerable().Reverse())
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
        if (Directory.Exists(_folder))
            TempFolder.Delete(_folder);
    }
}
