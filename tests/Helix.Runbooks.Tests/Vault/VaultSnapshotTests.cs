using Helix.Runbooks.Steps;
using Helix.Steps.Vault;

namespace Helix.Runbooks.Tests.Vault;

/// <summary>Snapshots and their way back. Against the stub.</summary>
public sealed class VaultSnapshotTests : IDisposable
{
    readonly TestHost _host = new();
    readonly VaultStub _vault = new();

    public VaultSnapshotTests()
    {
        _vault.Target(_host);
        _vault.Write("secret/helix", new() { ["password"] = "x-before" });
    }

    [Fact]
    public async Task A_snapshot_says_what_opens_it_and_brings_everything_back_on_the_stub()
    {
        var copy = await Snapshot();
        Assert.Equal(("cluster-here", 2, 3, 41), (copy.ClusterId, copy.Counts["threshold"], copy.Counts["shares"], copy.Counts["index"]));
        _vault.Write("secret/helix", new() { ["password"] = "x-after" });
        var back = await _host.Run(new VaultRestore(), Back(copy.File, copy.ClusterId));
        Assert.Equal("x-before", _vault.Value("secret/helix", "password"));
        Assert.Equal((VaultState.Active, false, "cluster-here"), (back.State, back.KeysChanged, back.KeysOf));
        Assert.Equal(ProbeVerdict.Done, (await _host.Probe(new VaultRestore(), Back(copy.File, copy.ClusterId))).Verdict);
    }

    [Fact]
    public async Task A_snapshot_that_was_cut_off_or_changed_is_none()
    {
        foreach (var damage in new Func<byte[], byte[]>[] { b => b[..(b.Length / 2)], _ => "no snapshot"u8.ToArray(), _ => [], Changed })
        {
            _vault.Snapshots = damage;
            var e = await _host.Fails(FailureClass.InvalidData, new VaultSnapshot(), new() { Target = "vault", To = "vault.snap" });
            Assert.Contains("is no whole Vault snapshot", e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(Directory.EnumerateFiles(_host.Folder), f => f.Contains("vault.snap", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Other_storage_has_no_snapshots()
    {
        _vault.Fault = path => path.StartsWith("sys/storage", StringComparison.Ordinal) ? (404, """{"errors":["no handler for route"]}""") : null;
        Assert.Contains("does not use integrated storage", (await _host.Fails(FailureClass.Missing, new VaultSnapshot(), new() { Target = "vault", To = "vault.snap" })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VLT_02_A_snapshot_of_another_cluster_is_refused_with_what_it_would_mean()
    {
        var copy = await Snapshot();
        (_vault.ClusterId, _vault.Shares) = ("cluster-new", ["other-1", "other-2"]);
        var e = await _host.Fails(FailureClass.Conflict, new VaultRestore(), Back(copy.File, copy.ClusterId));
        Assert.Equal("The snapshot came from cluster cluster-here, and vault 'vault' is cluster cluster-new: its unseal keys and tokens would be replaced by those of cluster-here.", e.Message);
        Assert.DoesNotContain(_vault.Requests, r => r.StartsWith("POST sys/storage", StringComparison.Ordinal));
    }

    [Fact]
    public async Task VLT_02_After_a_forced_restore_the_keys_and_tokens_of_the_origin_open_it()
    {
        var copy = await Snapshot();
        (_vault.ClusterId, _vault.Shares, _vault.Threshold) = ("cluster-new", ["other-1", "other-2"], 2);
        _vault.Empty();
        var back = await _host.Run(new VaultRestore(), Back(copy.File, copy.ClusterId) with { Force = true });
        Assert.Equal((VaultState.Sealed, true, "cluster-here"), (back.State, back.KeysChanged, back.KeysOf));
        Assert.Contains("those of cluster-new are worth nothing", back.Warning, StringComparison.Ordinal);

        VaultUnsealOptions With(params string[] shares) => new() { Targets = ["vault"], Shares = [.. shares.Select((s, i) => _host.Canary($"SHARE_{i}", s))] };
        Assert.Contains("shares of the snapshot's origin", (await _host.Fails(FailureClass.InvalidData, new VaultUnseal(), With("other-1", "other-2"))).Hint, StringComparison.Ordinal);
        await _host.Run(new VaultUnseal(), With("share-a", "share-b"));

        Assert.Contains("run out", (await _host.Fails(FailureClass.Auth, new VaultRead(), new() { Target = "vault", Path = "secret/helix", Fields = ["password"] })).Message, StringComparison.Ordinal);
        _host.Add("vault_restored", new VaultTarget { Url = _vault.Url, Token = _host.Canary("ORIGIN_TOKEN", VaultStub.Padded("origin")) });
        Assert.Equal(1, (await _host.Run(new VaultRead(), new() { Target = "vault_restored", Path = "secret/helix", Fields = ["password"] })).Version);
    }

    [Fact]
    public async Task VLT_02_A_snapshot_whose_origin_nobody_knows_is_refused()
    {
        var copy = await Snapshot();
        Assert.Contains("Nobody knows which cluster", (await _host.Fails(FailureClass.InvalidData, new VaultRestore(), Back(copy.File, "") with { Force = true })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restore_that_broke_off_while_it_was_sent_asks_people()
    {
        var copy = await Snapshot();
        _vault.Fault = path => path.EndsWith("raft/snapshot", StringComparison.Ordinal) ? (500, """{"errors":["disk full"]}""") : null;
        await _host.Fails(FailureClass.Transient, new VaultRestore(), Back(copy.File, copy.ClusterId));
        Assert.Equal(ProbeVerdict.Unknown, (await _host.Probe(new VaultRestore(), Back(copy.File, copy.ClusterId))).Verdict);
    }

    /// <summary>The same archive, whose state is another than its sums say.</summary>
    static byte[] Changed(byte[] whole) => VaultStub.Packed(("meta.json", "{}"u8.ToArray()), ("state.bin", whole), ("SHA256SUMS", System.Text.Encoding.ASCII.GetBytes($"{VaultStub.Sum("{}"u8.ToArray())}  meta.json\n{VaultStub.Sum([1])}  state.bin\n")));

    Task<VaultSnapshotOutputs> Snapshot() => _host.Run(new VaultSnapshot(), new() { Target = "vault", To = "vault.snap" });
    static VaultRestoreOptions Back(string file, string origin) => new() { Target = "vault", From = file, Origin = origin };

    public void Dispose()
    {
        _vault.Dispose();
        _host.Dispose();
    }
}
