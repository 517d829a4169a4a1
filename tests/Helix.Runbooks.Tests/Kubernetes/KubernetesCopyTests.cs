using Helix.Runbooks.Steps;
using Helix.Steps.Kubernetes;

namespace Helix.Runbooks.Tests.Kubernetes;

public sealed class KubernetesCopyTests : IDisposable
{
    readonly KubeServer _server = new();
    readonly TestHost _host = new();

    public KubernetesCopyTests()
    {
        KubePods.Need();
        _host.Add("cluster", _server.Target);
        _server.Cluster.Make(KubeManifests.StatefulSet("db"));
    }

    public void Dispose()
    {
        _host.Dispose();
        _server.Dispose();
    }

    string Claim
    {
        get
        {
            var claim = _server.Cluster.Pods.ClaimOf("data-db-0");
            Directory.CreateDirectory(claim);
            return claim;
        }
    }

    KubernetesCopyOptions Out(string inside) => new() { Target = "cluster", Workload = "statefulset/db", Inside = inside, To = Path.Combine(_host.Work, "got") };

    [Fact]
    public async Task A_file_comes_out_and_goes_in_with_its_size_and_digest_and_keeps_owner_and_mode()
    {
        byte[] bytes = [.. Enumerable.Range(0, 400_000).Select(i => (byte)(i * 11))];
        await File.WriteAllBytesAsync(Path.Combine(Claim, "a.bin"), bytes, TestContext.Current.CancellationToken);
        var got = await _host.Run(new KubernetesCopy(), Out("/data/a.bin"));
        Assert.Equal(bytes, await File.ReadAllBytesAsync(got.File, TestContext.Current.CancellationToken));
        var back = await _host.Run(new KubernetesCopy(), new() { Target = "cluster", Workload = "statefulset/db", Inside = "/data/b.bin", From = got.File, Owner = "neo4j:neo4j", Mode = Mode("0600") });
        Assert.Equal((got.Size, got.Sha256), (back.Size, back.Sha256));
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Path.Combine(Claim, "b.bin"), TestContext.Current.CancellationToken));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Claim, "b.bin")));
        Assert.Equal("7474:7474", await Said("stat", "-c", "%u:%g", "/data/b.bin"));
        Assert.Equal(2, Directory.GetFiles(Claim).Length);
    }

    static Mode Mode(string text) => Steps.Mode.TryParse(text, out var mode) ? mode : throw new ArgumentException(text);

    async Task<string> Said(params string[] argv) =>
        (await _host.Run(new KubernetesExec(), new() { Target = "cluster", Workload = "statefulset/db", Argv = argv, Outputs = new Dictionary<string, DeclaredOutput> { ["text"] = new() } })).Values["text"]!.ToString()!;

    [Fact]
    public async Task K8S_01_a_stream_that_is_cut_with_exit_code_0_is_noticed_tried_again_and_leaves_no_part()
    {
        await File.WriteAllBytesAsync(Path.Combine(Claim, "a.bin"), new byte[200_000], TestContext.Current.CancellationToken);
        _server.Cluster.CutExecAfter = 140_000;
        var failure = await _host.Fails(FailureClass.Transient, new KubernetesCopy(), Out("/data/a.bin"));
        Assert.Contains("200000 bytes sent", failure.Message, StringComparison.Ordinal);
        Assert.Contains("140000 arrived", failure.Message, StringComparison.Ordinal);
        Assert.Equal(2, _host.Logged.Count(l => l.StartsWith("copied again:", StringComparison.Ordinal)));
        Assert.Empty(Directory.GetFiles(_host.Work, "got*"));
        _server.Cluster.CutExecAfter = null;
        Assert.Equal(200_000, (await _host.Run(new KubernetesCopy(), Out("/data/a.bin"))).Size);
    }

    [Theory]
    [InlineData("db:minimal")]
    [InlineData("db:bare")]
    public async Task K8S_02_a_file_needs_no_tar_in_the_image_and_a_folder_says_that_it_does(string image)
    {
        _server.Cluster.Make(KubeManifests.StatefulSet("small", image));
        var claim = Directory.CreateDirectory(_server.Cluster.Pods.ClaimOf("data-small-0")).FullName;
        await File.WriteAllTextAsync(Path.Combine(claim, "a.txt"), "hello", TestContext.Current.CancellationToken);
        var options = Out("/data/a.txt") with { Workload = "statefulset/small" };
        Assert.Equal(5, (await _host.Run(new KubernetesCopy(), options)).Size);
        await _host.Run(new KubernetesCopy(), options with { To = null, From = Path.Combine(_host.Work, "got"), Inside = "/data/b.txt" });
        Assert.Equal("hello", await File.ReadAllTextAsync(Path.Combine(claim, "b.txt"), TestContext.Current.CancellationToken));
        var failure = await _host.Fails(FailureClass.Missing, new KubernetesCopy(), options with { Inside = "/data", To = Path.Combine(_host.Work, "all") });
        Assert.Contains("its image holds no tar", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task K8S_09_entries_of_a_folder_are_counted_on_both_sides_and_links_that_lead_out_are_named()
    {
        Directory.CreateDirectory(Path.Combine(Claim, "conf", "below"));
        await File.WriteAllTextAsync(Path.Combine(Claim, "conf", "below", "a.txt"), "a", TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(Path.Combine(Claim, "conf", "inside"), "below/a.txt");
        File.CreateSymbolicLink(Path.Combine(Claim, "conf", "outside"), "../../etc/passwd");
        var done = await _host.Run(new KubernetesCopy(), Out("/data/conf"));
        Assert.Equal(4, done.Entries);
        Assert.Equal("outside is a link to ../../etc/passwd, which lies outside: left out", Assert.Single(done.Skipped));
        Assert.Equal("a", await File.ReadAllTextAsync(Path.Combine(done.File, "inside"), TestContext.Current.CancellationToken));
        Assert.False(File.Exists(Path.Combine(done.File, "outside")));
        await _host.Run(new KubernetesCopy(), new() { Target = "cluster", Workload = "statefulset/db", Inside = "/data/again", From = done.File });
        Assert.Equal("a", await Said("cat", "/data/again/inside"));
    }

    [Fact]
    public async Task K8S_09_an_entry_that_would_leave_the_folder_is_refused()
    {
        // A tar in the pod that lies about its names.
        var pod = _server.Cluster.Pods.FolderOf("db-0");
        using (var file = File.Create(Path.Combine(pod, "evil.tar")))
        using (var tar = new System.Formats.Tar.TarWriter(file))
            tar.WriteEntry(new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.RegularFile, "../evil.txt") { DataStream = new MemoryStream([1]) });
        File.Delete(Path.Combine(pod, "bin", "tar"));
        await File.WriteAllTextAsync(Path.Combine(pod, "bin", "tar"), "#!/bin/sh\ncat /evil.tar\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(Path.Combine(pod, "bin", "tar"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var failure = await _host.Fails(FailureClass.InvalidData, new KubernetesCopy(), Out("/data"));
        Assert.Contains("its path leaves the folder", failure.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_host.Work, "evil.txt")) || Directory.Exists(Path.Combine(_host.Work, "got")));
    }
}
