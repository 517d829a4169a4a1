using System.Text;
using Helix.Runbooks.Steps;
using Helix.Steps.Vault;

namespace Helix.Runbooks.Tests.Vault;

/// <summary>Keys: made for their holders, given by them, counted after each. Against the stub.</summary>
public sealed class VaultUnsealTests : IDisposable
{
    readonly TestHost _host = new();
    readonly VaultStub _vault = new() { Sealed = true };

    public VaultUnsealTests()
    {
        _vault.Target(_host, token: null);
        _vault.Shares = ["canary-share-a", "canary-share-b", "canary-share-c"];
        _vault.Threshold = 3;
    }

    [Fact]
    public async Task VLT_01_Shares_are_given_until_enough_and_leave_no_trace_on_the_stub()
    {
        var done = await Unseal("canary-share-a", "canary-share-b", "canary-share-c");
        Assert.Equal(["vault"], done.Unsealed);
        Assert.Equal(VaultState.Active, done.States["vault"]);
        _host.AssertNoCanary(done);
    }

    [Fact]
    public async Task VLT_01_A_new_nonce_means_that_all_shares_are_given_again()
    {
        var meddled = false;
        _vault.Giving = progress =>
        {
            if (progress == 2 && !meddled)
                _vault.Meddle(reset: true);
            meddled |= progress == 2;
        };
        Assert.Equal(["vault"], (await Unseal("canary-share-a", "canary-share-b", "canary-share-c")).Unsealed);
        Assert.Contains(_host.Logged, l => l.Contains("somebody began anew", StringComparison.Ordinal));
    }

    [Fact]
    public async Task VLT_01_What_somebody_else_had_given_is_thrown_away_first()
    {
        _vault.Meddle(reset: false);
        Assert.Equal(["vault"], (await Unseal("canary-share-a", "canary-share-b", "canary-share-c")).Unsealed);
    }

    [Fact]
    public async Task A_wrong_share_is_told_from_too_few_and_from_one_given_twice()
    {
        Assert.Contains("refused what the 3 shares give", (await Fails(FailureClass.InvalidData, "canary-share-a", "canary-share-b", "canary-wrong-1")).Message, StringComparison.Ordinal);
        Assert.Contains("3 shares are needed and 2 were given", (await Fails(FailureClass.Missing, "canary-share-a", "canary-share-b")).Message, StringComparison.Ordinal);
        Assert.Contains("Share 2 for vault 'vault' is the same", (await Fails(FailureClass.InvalidData, "canary-share-a", "canary-share-a", "canary-share-b")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Vault_that_is_open_is_left_alone_and_one_without_keys_is_refused()
    {
        _vault.Sealed = false;
        Assert.Empty((await Unseal()).Unsealed);
        (_vault.Sealed, _vault.Initialised) = (true, false);
        Assert.Contains("is not initialised", (await Fails(FailureClass.Conflict)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_nodes_of_a_cluster_are_all_unsealed_before_any_is_waited_for()
    {
        var nodes = Enumerable.Range(1, 3).ToDictionary(i => $"v{i}", _ => new VaultStub { Sealed = true, Standby = true, Shares = ["canary-share-a", "canary-share-b"] });
        try
        {
            foreach (var (name, node) in nodes)
            {
                _host.Add(name, new VaultTarget { Url = node.Url, Timeout = new(Hang.Limit) });
                // One node alone never has a leader: the others are its quorum.
                node.Fault = path => path == "sys/leader" && nodes.Values.Count(n => !n.Sealed) < 2 ? (200, """{"ha_enabled":true,"leader_address":""}""") : null;
            }
            var options = Options(["canary-share-a", "canary-share-b"]) with { Targets = ["v1", "v2", "v3"], Within = new(Hang.Limit) };
            var done = await _host.Run(new VaultUnseal(), options);
            Assert.Equal(["v1", "v2", "v3"], done.Unsealed);
            Assert.All(done.States.Values, s => Assert.Equal(VaultState.Standby, s));
        }
        finally
        {
            foreach (var node in nodes.Values)
                node.Dispose();
        }
    }

    [Fact]
    public async Task A_step_that_was_cut_off_while_it_waited_for_a_leader_is_not_done()
    {
        (_vault.Sealed, _vault.Standby, _vault.Leader) = (false, true, "");
        Assert.Equal(ProbeVerdict.NotDone, (await _host.Probe(new VaultUnseal(), Options([]))).Verdict);
        _vault.Leader = "https://active:8200";
        Assert.Equal(ProbeVerdict.Done, (await _host.Probe(new VaultUnseal(), Options([]))).Verdict);
    }

    [Fact]
    public async Task A_seal_of_another_kind_takes_no_shares()
    {
        _vault.SealType = "awskms";
        Assert.Contains("is unsealed by awskms", (await Fails(FailureClass.Conflict)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_shares_of_a_new_Vault_come_encrypted_and_are_never_seen_by_us()
    {
        _vault.Initialised = false;
        byte[] key = [0x99, 1, 2, 3];
        var armoured = $"-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: made for a test\n\n{Convert.ToBase64String(key)}\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n";
        var options = Init(_host.Write("alice.gpg", key), _host.Write("bob.asc", Encoding.ASCII.GetBytes(armoured)));
        var made = await _host.Run(new VaultInit(), options);
        Assert.Equal(new[] { Convert.ToBase64String(key), Convert.ToBase64String(key) }, _vault.InitBody!["pgp_keys"]!.AsArray().Select(k => k!.ToString()));
        Assert.Equal(Convert.ToBase64String(key), _vault.InitBody["root_token_pgp_key"]!.ToString());
        Assert.Equal(Convert.ToBase64String("encrypted share 1"u8), (await File.ReadAllTextAsync(made.Files["bob"])).Trim());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(made.RootTokenFile));
        Assert.Equal(ProbeVerdict.Done, (await _host.Probe(new VaultInit(), options)).Verdict);
        File.WriteAllText(made.Files["bob"], "");
        Assert.Equal(ProbeVerdict.Unknown, (await _host.Probe(new VaultInit(), options)).Verdict);
        Assert.Contains("initialised already", (await _host.Fails(FailureClass.Conflict, new VaultInit(), options)).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(new byte[] { 0x95, 1, 2 }, "holds a private PGP key"), InlineData(new byte[] { 0x41, 1, 2 }, "is no PGP public key")]
    public async Task What_is_no_public_key_is_refused_before_anything_is_asked(byte[] key, string words)
    {
        _vault.Initialised = false;
        var file = _host.Write("wrong.gpg", key);
        var e = await Assert.ThrowsAsync<RunbookException>(() => _host.Run(new VaultInit(), Init(file, file)));
        Assert.Contains(words, e.Message, StringComparison.Ordinal);
        Assert.Empty(_vault.Requests);
    }

    [Theory, InlineData("müller", "möller"), InlineData("jan.k", "jan-k"), InlineData("Jan", "jan")]
    public async Task Two_recipients_whose_shares_would_have_one_file_are_refused_before_anything_is_asked(string one, string other)
    {
        _vault.Initialised = false;
        var file = _host.Write("key.gpg", [0x99, 1, 2, 3]);
        var options = Init(file, file) with { Recipients = new Dictionary<string, string> { [one] = file, [other] = file }, RootTokenFor = one };
        var e = await Assert.ThrowsAsync<RunbookException>(() => _host.Run(new VaultInit(), options));
        Assert.Contains($"The shares of {one} and {other} would have the same file", e.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<RunbookException>(() => _host.Plan(new VaultInit(), options));
        Assert.Empty(_vault.Requests);
    }

    [Fact]
    public async Task Shares_that_an_earlier_Vault_left_in_the_folder_are_not_lost()
    {
        _vault.Initialised = false;
        var options = Init(_host.Write("alice.gpg", [0x99, 1, 2, 3]), _host.Write("bob.gpg", [0x99, 3, 2, 1]));
        var made = await _host.Run(new VaultInit(), options);
        var share = await File.ReadAllTextAsync(made.Files["bob"]);
        // Its storage is emptied, and an attempt that was cut off left a file without a share.
        _vault.Initialised = false;
        File.WriteAllText(made.Files["alice"], "");
        var e = await _host.Fails(FailureClass.Conflict, new VaultInit(), options);
        Assert.Contains($"{made.Files["bob"]} holds a share already", e.Message, StringComparison.Ordinal);
        Assert.False(_vault.Initialised);
        Assert.Equal(share, await File.ReadAllTextAsync(made.Files["bob"]));

        File.Delete(made.Files["bob"]);
        File.Delete(made.RootTokenFile);
        await _host.Run(new VaultInit(), options);
        Assert.NotEmpty(await File.ReadAllTextAsync(made.Files["alice"]));
    }

    static VaultInitOptions Init(string alice, string bob) => new()
    {
        Target = "vault",
        Recipients = new Dictionary<string, string> { ["alice"] = alice, ["bob"] = bob },
        Threshold = 2,
        RootTokenFor = "alice",
        To = "keys",
    };

    VaultUnsealOptions Options(string[] shares) => new() { Targets = ["vault"], Shares = [.. shares.Select((s, i) => _host.Canary($"SHARE_{i}", s))] };
    Task<VaultUnsealOutputs> Unseal(params string[] shares) => _host.Run(new VaultUnseal(), Options(shares));
    Task<StepFailedException> Fails(FailureClass failure, params string[] shares) => _host.Fails(failure, new VaultUnseal(), Options(shares));

    public void Dispose()
    {
        _vault.Dispose();
        _host.Dispose();
    }
}
