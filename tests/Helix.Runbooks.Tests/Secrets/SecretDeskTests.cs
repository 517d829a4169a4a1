using System.Diagnostics;
using System.Net.Sockets;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Runs;
using Helix.Runbooks.Tests.Vault;
using Microsoft.Extensions.Time.Testing;

namespace Helix.Runbooks.Tests.Secrets;

/// <summary>Secrets that people hand to the living driver: who gave what and when is on record, what it was is nowhere.</summary>
public sealed class SecretDeskTests : IDisposable
{
    static readonly string Me = System.Environment.UserName;
    static readonly string[] Shares = ["canary-first-share", "canary-second-share"];

    readonly RunHarness _runs = new();
    readonly VaultStub _vault = new() { Sealed = true, Shares = [.. Shares] };

    [Fact]
    public async Task VLT_01_Each_holder_gives_a_share_to_the_driver_and_the_record_holds_only_who_and_when()
    {
        var (run, driving) = Start("[group:dba]");
        await Asked(run, 1);
        Assert.Equal("alice is not among those who are asked (group:dba)", (await Give(run, RunHarness.Alice, Shares[0])).Message);
        Assert.True((await Give(run, RunHarness.Bob, Shares[0])).Accepted);
        await Asked(run, 2);
        Assert.Contains("bob has given theirs already", (await Give(run, RunHarness.Bob, Shares[1])).Message, StringComparison.Ordinal);
        Assert.True((await Give(run, new Person("carol", IdentityStrength.Os, "test"), Shares[1])).Accepted);
        Assert.Equal(DriveEnd.Ended, (await driving).End);

        Assert.False(_vault.Sealed);
        var given = _runs.Store.Read(run).Select(e => e.Event).OfType<SecretGiven>().Select(g => g.Giver.Account);
        Assert.Equal(["bob", "carol"], given);
        var state = _runs.Engine.State(run);
        Assert.Equal(Outcome.Succeeded, state.Ended!.Outcome);
        Assert.Empty(state.SecretsAsked);
        Assert.Contains(state.Remarks, r => r.Text == "gave 'share' for open" && r.By!.Account == "carol");
        Assert.Contains(state.Spans, s => s is { Path: "open", Kind: SpanKind.WaitingForPeople, End: not null });
        AssertNowhere();
    }

    [Fact]
    public async Task A_driver_that_was_stopped_and_answers_nothing_is_not_waited_for_for_ever()
    {
        var path = Path.Combine(_runs.Folder, "deaf.sock");
        using var deaf = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        deaf.Bind(new UnixDomainSocketEndPoint(path));
        deaf.Listen();
        var clock = new FakeTimeProvider();
        var sent = SecretSocket.Send(path, new SecretMessage("share", Shares[0]), clock);
        await Eventually.True(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(31));
            return sent.IsCompleted;
        }, "it is given up");
        var e = await Assert.ThrowsAsync<RunbookException>(() => sent);
        Assert.Contains("does not answer", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_socket_takes_only_what_the_kernel_or_a_signature_vouches_for()
    {
        var key = await Key("carol");
        var (run, driving) = Start($"[{Me}, carol]", "allowedSigners: signers");
        await Asked(run, 1);
        var socket = SecretSocket.PathIn(Path.Combine(_runs.Folder, "runs", run), epoch: 1);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(socket));

        using var store = JournalStore.Open(Path.Combine(_runs.Folder, "helix.db"), TimeProvider.System);
        var elsewhere = new Engine(RunHarness.Catalog, store, TimeProvider.System, new EngineSettings { DataFolder = _runs.Folder });
        // Who he says he is counts for nothing: the kernel says who he is.
        Assert.True((await elsewhere.GiveSecret(run, new Person("somebody", IdentityStrength.Os, "test"), "share", Shares[0])).Accepted);
        await Asked(run, 2);
        Assert.False((await elsewhere.GiveSecret(run, RunHarness.Bob, "share", Shares[1])).Accepted);
        var ask = elsewhere.State(run).SecretsAsked.Keys.Single();
        var forged = await Signed(key, SignedAnswers.SecretText(run, ask, "another value"));
        Assert.Contains("is not one of carol", (await elsewhere.GiveSecret(run, Carol, ask, Shares[1], forged)).Message, StringComparison.Ordinal);
        Assert.True((await elsewhere.GiveSecret(run, Carol, ask, Shares[1], await Signed(key, SignedAnswers.SecretText(run, ask, Shares[1])))).Accepted);
        await driving;

        Assert.Equal([(Me, IdentityStrength.Os), ("carol", IdentityStrength.Signed)], _runs.Store.Read(run).Select(e => e.Event).OfType<SecretGiven>().Select(g => (g.Giver.Account, g.Giver.Strength)));
        Assert.False(File.Exists(socket));
        await Assert.ThrowsAsync<RunbookException>(() => elsewhere.GiveSecret(run, Carol, ask, Shares[1]));
        AssertNowhere();
    }

    [Fact]
    public async Task A_driver_that_is_gone_means_that_everybody_is_asked_again()
    {
        using var stop = new CancellationTokenSource();
        var (run, driving) = Start("[group:dba]", "", stop.Token);
        await Asked(run, 1);
        await Give(run, RunHarness.Bob, Shares[0]);
        await Asked(run, 2);
        await stop.CancelAsync();
        Assert.Equal(DriveEnd.Interrupted, (await driving).End);
        Assert.Empty(_runs.Engine.State(run).SecretsAsked);

        driving = _runs.Drive(run);
        await Asked(run, 3);
        Assert.StartsWith("Share 1 of 2", _runs.Engine.State(run).SecretsAsked.Values.Single().Message, StringComparison.Ordinal);
        await Give(run, RunHarness.Bob, Shares[0]);
        await Asked(run, 4);
        await Give(run, Carol, Shares[1]);
        Assert.Equal(Outcome.Succeeded, (await driving).State.Ended!.Outcome);
        AssertNowhere();
    }

    [Fact]
    public async Task Nobody_who_answers_in_time_is_a_failure_that_says_so()
    {
        var (run, driving) = Start("[group:dba], askFor: 300ms");
        var state = (await driving).State;
        Assert.Equal((Outcome.Failed, FailureClass.Transient), (state.Ended!.Outcome, state.Step("open")!.Failure));
        Assert.Contains("Nobody gave 'share' until", state.Step("open")!.Message, StringComparison.Ordinal);
        Assert.Single(_runs.Store.Read(run).Select(e => e.Event).OfType<SecretUnasked>());
    }

    static readonly Person Carol = new("carol", IdentityStrength.Os, "test");

    (string Run, Task<DriveResult> Driving) Start(string holders, string environment = "", CancellationToken stop = default)
    {
        var plan = _runs.Plan($$"""
            steps:
              - { id: open, uses: vault.unseal, with: { targets: [vault], holders: {{holders}} } }
            """, $"  vault: {{ kind: vault, url: \"{_vault.Url}\" }}", environment: environment);
        var run = _runs.Start(plan);
        return (run, Task.Run(() => _runs.Drive(run, interrupt: stop)));
    }

    Task Asked(string run, int times) => Eventually.True(
        () => _runs.Store.Read(run).Count(e => e.Event is SecretAsked) == times && _runs.Engine.State(run).SecretsAsked.Count == 1, $"it asks for the {times}. time");

    Task<DecisionResult> Give(string run, Person by, string share) => _runs.Engine.GiveSecret(run, by, "share", share);

    async Task<string> Key(string account)
    {
        var key = Path.Combine(_runs.Folder, account);
        await Tool(["-q", "-t", "ed25519", "-N", "", "-f", key], "");
        _runs.Write("signers", $"{account} {await File.ReadAllTextAsync(key + ".pub")}");
        return key;
    }

    static Task<string> Signed(string key, string text) => Tool(["-Y", "sign", "-f", key, "-n", SignedAnswers.Namespace], text);

    static async Task<string> Tool(string[] arguments, string input)
    {
        using var process = Process.Start(new ProcessStartInfo("ssh-keygen", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return output;
    }

    /// <summary>In no file of the store, the logs or the run's folder.</summary>
    void AssertNowhere() => Assert.DoesNotContain(
        Directory.EnumerateFiles(_runs.Folder, "*", SearchOption.AllDirectories).Where(f => File.GetUnixFileMode(f).HasFlag(UnixFileMode.UserRead)),
        f => Shares.Any(s => System.Text.Encoding.Latin1.GetString(Bytes(f)).Contains(s, StringComparison.Ordinal)));

    static byte[] Bytes(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    public void Dispose()
    {
        _runs.Dispose();
        _vault.Dispose();
    }
}
