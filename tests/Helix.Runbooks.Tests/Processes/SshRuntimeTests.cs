using System.Security.Cryptography;
using System.Text;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Steps.Processes;
using Helix.Steps.Targets;

namespace Helix.Runbooks.Tests.Processes;

/// <summary>A service of another machine, over a real sshd (which is on this one).</summary>
public sealed class SshRuntimeTests : IDisposable
{
    // What ends by itself ends long before.
    static readonly TimeSpan Grace = Hang.Limit;

    readonly WatchedClock _clock = new();
    readonly TestHost _host;
    int _services;

    public SshRuntimeTests() => _host = new() { Clock = _clock };

    public void Dispose() => _host.Dispose();

    string In(string name) => Path.Combine(_host.Folder, name);

    Runtime Service(SshServer server, params string[] start) => ServiceWith(server, server.Config, start);

    Runtime ServiceWith(SshServer server, string config, params string[] start) => _host.Add($"there{_services++}", new ServiceTarget
    {
        Runtime = new()
        {
            Host = server.Address,
            SshConfig = config,
            Process = new() { Start = start, PidFile = In("s.pid"), Directory = _host.Folder, Log = In("s.log"), Environment = new Dictionary<string, string> { ["WHO"] = "it's me" } },
        },
    }).Service;

    [Fact]
    public async Task It_is_started_seen_and_stopped_and_outlives_the_connection()
    {
        using var server = await SshServer.Start();
        var service = Service(server, "sh", "-c", "echo $WHO in $PWD; exec sleep 1000");
        Assert.Equal(RuntimeStatus.Stopped, (await service.State(_host.Context())).Status);
        await service.Start(_host.Context());
        await service.Start(_host.Context());
        Assert.Equal(RuntimeStatus.Running, (await service.State(_host.Context())).Status);
        Assert.Equal(1, await service.Instances(_host.Context()));
        await Eventually.True(() => File.ReadAllText(In("s.log")) == $"it's me in {_host.Folder}\n", "its output is in its log there");
        Assert.Equal($"{Environment.MachineName}:{_host.Folder}", await service.Place(_host.Context()));

        var stopped = await service.Stop(_host.Context(), Grace);
        Assert.Equal((RuntimeStatus.Stopped, 143), (stopped.Status, stopped.ExitCode));
        Assert.Equal(RuntimeStatus.Stopped, (await service.Stop(_host.Context(), Grace)).Status);
    }

    [Fact]
    public async Task The_command_of_the_residue_starts_it_there()
    {
        using var server = await SshServer.Start();
        var config = Path.Combine(Directory.CreateDirectory(In("a b")).FullName, "config");
        File.Copy(server.Config, config);
        var service = ServiceWith(server, config, "sh", "-c", "echo $WHO in $PWD; exec sleep 1000");
        await _host.Context().Tool("bash", "-c", service.StartCommand).Run();
        await Eventually.True(async () => (await service.State(_host.Context())).Status == RuntimeStatus.Running, "it runs");
        await Eventually.True(() => File.ReadAllText(In("s.log")) == $"it's me in {_host.Folder}\n", "with its variables");
        await service.Stop(_host.Context(), Grace);
        Assert.Equal(RuntimeStatus.Stopped, (await service.State(_host.Context())).Status);
    }

    [Fact]
    public async Task One_that_ends_at_once_fails_its_start_with_its_last_words()
    {
        using var server = await SshServer.Start();
        Service(server, "sh", "-c", "echo bad configuration; exit 7");
        // However slow the machine, it ends while it is waited for.
        _clock.BeforeAPause = () => File.Exists(In("s.pid.exit"));
        var e = await _host.Fails(FailureClass.Transient, new TargetStart(), new() { Targets = ["there0"] });
        Assert.Contains("exit code 7", e.Message);
        Assert.Contains("bad configuration", e.Message);
    }

    [Fact]
    public async Task A_service_of_another_account_runs_although_it_takes_no_signals_and_is_not_called_stopped()
    {
        using var owner = await SshServer.Start();
        using var other = await SshServer.Start("""ForceCommand setpriv --reuid=65534 --regid=65534 --clear-groups sh -c "$SSH_ORIGINAL_COMMAND" """);
        File.SetUnixFileMode(_host.Folder, (UnixFileMode)0b111_101_101);
        var theirs = Service(owner, "sleep", "1000");
        await theirs.Start(_host.Context());
        var seen = Service(other, "sleep", "1000");
        Assert.Equal(RuntimeStatus.Running, (await seen.State(_host.Context())).Status);
        var e = await Assert.ThrowsAsync<StepFailedException>(() => seen.Stop(_host.Context(), Grace));
        Assert.Equal(FailureClass.Auth, e.Failure);
        Assert.Contains("takes no signals", e.Message);

        File.SetUnixFileMode(In("s.pid"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Equal(FailureClass.Auth, (await Assert.ThrowsAsync<StepFailedException>(() => seen.State(_host.Context()))).Failure);
        Assert.Equal(143, (await theirs.Stop(_host.Context(), Grace)).ExitCode);
    }

    [Fact]
    public async Task What_a_shell_prints_before_an_answer_is_no_part_of_it_and_without_an_answer_nothing_is_believed()
    {
        using var server = await SshServer.Start("""ForceCommand echo "stopped 0"; printf "Welcome to elsewhere, "; eval "$SSH_ORIGINAL_COMMAND" """);
        using var odd = await SshServer.Start("ForceCommand echo stopped");
        var service = Service(server, "sleep", "1000");
        await service.Start(_host.Context());
        Assert.Equal(RuntimeStatus.Running, (await service.State(_host.Context())).Status);
        Assert.Equal($"{Environment.MachineName}:{_host.Folder}", await service.Place(_host.Context()));
        var e = await Assert.ThrowsAsync<StepFailedException>(() => Service(odd, "sleep", "1000").Stop(_host.Context(), Grace));
        Assert.Equal(FailureClass.Transient, e.Failure);
        Assert.Equal(143, (await service.Stop(_host.Context(), Grace)).ExitCode);
    }

    [Fact]
    public async Task A_service_runs_on_when_the_clock_was_set_forward_after_its_start()
    {
        using var server = await SshServer.Start();
        var service = Service(server, "sleep", "1000");
        await service.Start(_host.Context());
        // To set the clock is to make the file older than its process.
        File.SetLastWriteTimeUtc(In("s.pid"), DateTime.UnixEpoch);
        Assert.Equal(RuntimeStatus.Running, (await service.State(_host.Context())).Status);
        Assert.Equal(143, (await service.Stop(_host.Context(), Grace)).ExitCode);
    }

    [Fact]
    public async Task A_command_that_is_cancelled_ends_there_with_what_it_started()
    {
        using var server = await SshServer.Start();
        var service = Service(server, "sleep", "1000");
        var run = service.Exec(_host.Context(), "sh", "-c", "trap '' TERM; sleep 1000 & echo $! >child; echo $$ >self; wait; sleep 1000").Run();
        await Eventually.True(() => File.Exists(In("self")) && File.ReadAllText(In("self")).EndsWith('\n'), "it runs");
        var pids = new[] { "child", "self" }.Select(f => int.Parse(File.ReadAllText(In(f)))).ToList();
        _host.Cancel();
        Assert.Equal(FailureClass.Cancelled, (await Assert.ThrowsAsync<StepFailedException>(() => run)).Failure);
        Assert.DoesNotContain(pids, p => ProcessIdentity.Of(p) is not null);
    }

    [Fact]
    public async Task Commands_keep_bytes_exit_codes_and_words_and_secrets_stay_out_of_argument_lists()
    {
        using var server = await SshServer.Start();
        var service = Service(server, "sleep", "1000");
        var secret = "canary-" + Guid.NewGuid().ToString("N");
        var result = await service.Exec(_host.Context(), "sh", "-c", "cat; printf '%s|' \"$HELIX_SECRET\" \"$0\" \"$@\"; tr '\\0' ' ' </proc/$PPID/cmdline; exit 3", "a b", "it's; rm", "$HOME")
            .With("HELIX_SECRET", secret).Accept(3).Run();
        Assert.StartsWith($"{secret}|a b|it's; rm|$HOME|", result.Stdout);
        Assert.Equal(2, result.Stdout.Split(secret).Length);

        var refused = await Assert.ThrowsAsync<StepFailedException>(() => service.Exec(_host.Context(), "true").With("OTHER_SECRET", secret).Run());
        Assert.Contains("AcceptEnv", refused.Message);
        Assert.DoesNotContain(secret, refused.Message);
    }

    [Fact]
    public async Task Files_are_copied_both_ways_with_their_digest_owner_and_mode()
    {
        using var server = await SshServer.Start();
        var service = Service(server, "sleep", "1000");
        var bytes = RandomNumberGenerator.GetBytes(3_000_001);
        await service.CopyIn(_host.Context(), new MemoryStream(bytes), "data.bin", new FileOwner("65534:65534", new Mode(UnixFileMode.UserRead)));
        Assert.Equal(bytes, await File.ReadAllBytesAsync(In("data.bin")));
        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(In("data.bin")));
        await File.WriteAllTextAsync(Helix.Steps.Files.Unfinished.NameFor(_host.Context(), In("data.bin")), "left by a connection that was cut");
        await service.CopyIn(_host.Context(), new MemoryStream(Encoding.UTF8.GetBytes("again")), "data.bin", new FileOwner(null, null));
        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(In("data.bin")));
        Assert.Empty(Directory.EnumerateFiles(_host.Folder, ".*"));

        using var back = new MemoryStream();
        Assert.Equal(5, await service.CopyOut(_host.Context(), "data.bin", back));
        Assert.Equal("again", Encoding.UTF8.GetString(back.ToArray()));
        await service.Remove(_host.Context(), "data.bin");
        Assert.False(File.Exists(In("data.bin")));
        Assert.Equal(FailureClass.Missing, (await Assert.ThrowsAsync<StepFailedException>(() => service.CopyOut(_host.Context(), "data.bin", back))).Failure);
    }

    [Fact]
    public async Task A_machine_that_is_away_is_named_with_what_to_try()
    {
        using var server = await SshServer.Start();
        var service = Service(server, "sleep", "1000");
        var config = await File.ReadAllTextAsync(server.Config);
        await File.WriteAllTextAsync(server.Config, config.Replace("HostName 127.0.0.1", "HostName 127.0.0.1\n  ProxyCommand false", StringComparison.Ordinal));
        var e = await Assert.ThrowsAsync<StepFailedException>(() => service.State(_host.Context()));
        Assert.Equal(FailureClass.Transient, e.Failure);
        Assert.Contains("elsewhere cannot be reached by ssh", e.Message);
        Assert.Contains("ssh -F", e.Hint);
    }

    [Fact]
    public void A_process_is_reached_by_ssh_only()
    {
        var target = _host.Add("there", new ServiceTarget { Runtime = new() { Host = "tcp://db1:2375", Process = new() { Start = ["x"], PidFile = "p", Directory = "/" } } });
        Assert.Contains("by ssh only", Assert.Throws<RunbookException>(() => target.Service).Message);
    }
}
