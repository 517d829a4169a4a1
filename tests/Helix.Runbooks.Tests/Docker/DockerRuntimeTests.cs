using System.Text;
using Helix.Runbooks.Steps;
using Helix.Steps.Compose;
using Helix.Steps.Docker;
using Helix.Steps.Files;
using Helix.Steps.Targets;

namespace Helix.Runbooks.Tests.Docker;

[Collection("docker")]
public sealed class DockerRuntimeTests : IDisposable
{
    readonly DockerFixture _docker;
    readonly TestHost _host = new();
    readonly string _name = DockerFixture.Name("c");

    public DockerRuntimeTests(DockerFixture docker)
    {
        docker.Need();
        _docker = docker;
    }

    public void Dispose() => _host.Dispose();

    [Fact]
    public async Task Stop_and_start_are_done_when_there_is_nothing_to_do_and_the_exit_code_is_told()
    {
        var service = _docker.Container(_host, _name).Service;
        Assert.Equal(RuntimeStatus.Running, (await service.State(_host.PlanContext())).Status);
        var stopped = await service.Stop(_host.Context(), DockerFixture.Grace);
        Assert.Equal((RuntimeStatus.Stopped, 0), (stopped.Status, stopped.ExitCode));
        Assert.Equal(stopped, await service.Stop(_host.Context(), DockerFixture.Grace));
        await service.Start(_host.Context());
        await service.Start(_host.Context());
        Assert.Equal(RuntimeStatus.Running, (await service.State(_host.PlanContext())).Status);
    }

    [Fact]
    public async Task A_container_that_ignores_SIGTERM_is_killed_and_the_state_says_137()
    {
        _docker.Docker("run", "-d", "--name", _name, "--network", "none", DockerFixture.Image, "sleep", "1000");
        var service = _host.Add("x", new DockerTarget { Container = _name, Host = _docker.Host }).Service;
        var state = await service.Stop(_host.Context(), TimeSpan.FromSeconds(1));
        Assert.Equal((RuntimeStatus.Stopped, 137), (state.Status, state.ExitCode));
        Assert.Contains("killed", state.Detail);
    }

    [Fact]
    public async Task PM_06_a_container_says_by_a_label_to_which_environment_it_belongs()
    {
        _docker.Docker("run", "-d", "--name", _name, "--network", "none", "--label", "helix.environment=production", "--label", "com.docker.compose.project=p" + _name, DockerFixture.Image, "sleep", "1000");
        _docker.Docker("run", "-d", "--name", _name + "2", "--network", "none", DockerFixture.Image, "sleep", "1000");
        Assert.Equal("production", await new DockerTarget { Container = _name, Host = _docker.Host }.ReadLabel(_host.PlanContext()));
        Assert.Equal("production", await new ComposeTarget { Project = "p" + _name, Files = ["compose.yaml"], Host = _docker.Host }.ReadLabel(_host.PlanContext()));
        Assert.Null(await new DockerTarget { Container = _name + "2", Host = _docker.Host }.ReadLabel(_host.PlanContext()));
    }

    [Fact]
    public async Task DOC_01_a_container_that_is_not_there_fails_with_those_that_are()
    {
        _docker.Container(_host, _name);
        var service = _host.Add("x", new DockerTarget { Container = "helix_redis_1", Host = _docker.Host }).Service;
        var e = await Assert.ThrowsAsync<StepFailedException>(() => service.Exec(_host.Context(), "true").Run());
        Assert.Equal(FailureClass.Missing, e.Failure);
        Assert.Contains(_name, e.Message);
    }

    [Fact]
    public async Task DOC_02_DOC_03_exec_has_no_terminal_so_bytes_stay_bytes_and_stderr_stays_apart()
    {
        var service = _docker.Container(_host, _name).Service;
        using var stored = new MemoryStream();
        var bytes = Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();
        var result = await (service.Exec(_host.Context(), "sh", "-c", "echo err >&2; cat; test -t 0 && echo TTY; exit 5") with { Input = new MemoryStream(bytes), Output = stored }).Accept(5).Run();
        Assert.Equal(bytes, stored.ToArray());
        Assert.Equal("err\n", result.Stderr);
    }

    [Fact]
    public async Task Variables_of_a_call_reach_the_command_inside_and_no_argument_list()
    {
        var service = _docker.Container(_host, _name).Service;
        var canary = await _host.Reveal(_host.Canary("PW"), default);
        var seen = new List<string>();
        var run = service.Exec(_host.Context(), "sh", "-c", "echo ready >&2; echo ${#PW}; sleep 1").With("PW", canary).Run();
        await Eventually.True(() => _host.Logged.Contains("stderr: ready"), "it runs");
        foreach (var line in Directory.EnumerateDirectories("/proc").Select(CommandLine))
            Assert.DoesNotContain(canary, line);
        Assert.Equal($"{canary.Length}\n", (await run).Stdout);
        _host.AssertNoCanary();
    }

    [Fact]
    public async Task A_one_off_process_has_image_volumes_and_variables_while_the_service_is_stopped()
    {
        var service = _docker.Container(_host, _name, "-e", "GREETING=hello").Service;
        await service.Exec(_host.Context(), "sh", "-c", "echo kept >/data/x").Run();
        await service.Stop(_host.Context(), DockerFixture.Grace);
        var result = await service.OneOff(_host.Context(), "sh", "-c", "cat /data/x; echo $GREETING $MORE").With("MORE", "more").Run();
        Assert.Equal("kept\nhello more\n", result.Stdout);
        var input = new byte[3_000_000];
        new Random(1).NextBytes(input);
        using var output = new MemoryStream();
        await (service.OneOff(_host.Context(), "cat") with { Input = new MemoryStream(input), Output = output }).Run();
        Assert.Equal(input, output.ToArray());
        Assert.DoesNotContain("helix-once", _docker.Docker("ps", "-a", "--format", "{{.Names}}"));
    }

    [Fact]
    public async Task A_cancelled_command_inside_does_not_run_on()
    {
        var service = _docker.Container(_host, _name).Service;
        var run = (service.Exec(_host.Context(), "sh", "-c", "trap '' INT TERM; echo ready; while true; do sleep 1.234; done") with { Grace = TimeSpan.FromSeconds(1) }).Run();
        await Eventually.True(() => _host.Logged.Contains("stdout: ready"), "it runs");
        _host.Cancel();
        await Assert.ThrowsAsync<StepFailedException>(() => run);
        await Eventually.True(() => !_docker.Docker("exec", _name, "ps").Contains("1.234", StringComparison.Ordinal), "it is gone inside");
        Assert.Contains("redis-server", _docker.Docker("exec", _name, "ps"));
    }

    [Fact]
    public async Task A_cancelled_one_off_process_leaves_no_container()
    {
        var service = _docker.Container(_host, _name).Service;
        var run = (service.OneOff(_host.Context(), "sh", "-c", "echo ready; sleep 1000") with { Grace = TimeSpan.FromSeconds(1) }).Run();
        await Eventually.True(() => _host.Logged.Contains("stdout: ready"), "it runs");
        _host.Cancel();
        await Assert.ThrowsAsync<StepFailedException>(() => run);
        Assert.DoesNotContain("helix-once", _docker.Docker("ps", "-a", "--format", "{{.Names}}"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DOC_04_copy_out_follows_links(bool running)
    {
        var service = _docker.Container(_host, _name).Service;
        await service.Exec(_host.Context(), "sh", "-c", "mkdir /data/real; echo content >/data/real/dump.rdb; ln -s /data/real/dump.rdb /data/dump.rdb; ln -s /nowhere /data/broken").Run();
        if (!running)
            await service.Stop(_host.Context(), DockerFixture.Grace);
        using var to = new MemoryStream();
        Assert.Equal(8, await service.CopyOut(_host.Context(), "/data/dump.rdb", to));
        Assert.Equal("content\n", Encoding.UTF8.GetString(to.ToArray()));
        await Assert.ThrowsAsync<StepFailedException>(() => service.CopyOut(_host.Context(), "/data/broken", to));
        await Assert.ThrowsAsync<StepFailedException>(() => service.CopyOut(_host.Context(), "/data/real", to));
        var e = await Assert.ThrowsAsync<StepFailedException>(() => service.CopyOut(_host.Context(), "/data/none", to));
        Assert.Equal(FailureClass.Missing, e.Failure);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DOC_05_copy_in_keeps_owner_and_mode_of_what_it_replaces_or_sets_what_is_asked(bool running)
    {
        var service = _docker.Container(_host, _name).Service;
        await service.Exec(_host.Context(), "sh", "-c", "mkdir /data/real; echo old >/data/real/graph.bin; chown 7474:7475 /data/real/graph.bin; chmod 604 /data/real/graph.bin; ln -s real/graph.bin /data/graph.bin; chown 7474 /data/real").Run();
        if (!running)
            await service.Stop(_host.Context(), DockerFixture.Grace);
        await service.CopyIn(_host.Context(), Bytes("new"), "/data/graph.bin", new(null, null));
        await service.CopyIn(_host.Context(), Bytes("asked"), "/data/asked", new("redis", Parsed("0600")));
        await service.CopyIn(_host.Context(), Bytes("numbers"), "/data/numbers", new("12:34", null));
        await service.CopyIn(_host.Context(), Bytes("folder"), "/data/real/folder", new(null, null));
        await service.CopyIn(_host.Context(), Bytes("layer"), "/etc/helix", new(null, null));
        await service.Start(_host.Context());
        var list = await service.Exec(_host.Context(), "sh", "-c", "cd /data; stat -c '%n %u:%g %a %F' graph.bin real/graph.bin asked numbers real/folder /etc/helix; ls -A real | wc -l; cat real/graph.bin").Run();
        Assert.Equal(
            """
            graph.bin 0:0 777 symbolic link
            real/graph.bin 7474:7475 604 regular file
            asked 7474:7475 600 regular file
            numbers 12:34 640 regular file
            real/folder 7474:0 640 regular file
            /etc/helix 0:0 640 regular file
            2
            new
            """, list.Stdout);
    }

    [Fact]
    public async Task Copy_in_to_a_folder_that_is_not_there_or_for_a_user_that_is_not_known_fails_before_anything_is_written()
    {
        var service = _docker.Container(_host, _name).Service;
        Assert.Contains("/data/none", (await Assert.ThrowsAsync<StepFailedException>(() => service.CopyIn(_host.Context(), Bytes("x"), "/data/none/x", new(null, null)))).Message);
        Assert.Contains("'neo4j'", (await Assert.ThrowsAsync<StepFailedException>(() => service.CopyIn(_host.Context(), Bytes("x"), "/data/x", new("neo4j", null)))).Message);
        Assert.Equal("", (await service.Exec(_host.Context(), "ls", "-A", "/data").Run()).Stdout);
    }

    [Fact]
    public async Task A_copy_that_is_cancelled_or_was_killed_leaves_nothing_among_the_data_of_the_service()
    {
        var service = _docker.Container(_host, _name).Service;
        var stuck = Path.Combine(_host.Folder, "stuck");
        var bin = Directory.CreateDirectory(Path.Combine(_host.Folder, "bin")).FullName;
        var real = System.Environment.GetEnvironmentVariable("PATH");
        await File.WriteAllTextAsync(Path.Combine(bin, "docker"), $"#!/bin/sh\ncase \" $* \" in *' mv -f '*) echo >'{stuck}'; exec sleep 1000;; esac\nPATH='{real}' exec docker \"$@\"\n");
        File.SetUnixFileMode(Path.Combine(bin, "docker"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        // Of an attempt that was killed.
        await service.CopyIn(_host.Context(), Bytes("part"), Unfinished.NameFor(_host.Context(), "/data/file"), new("12", null));
        await service.CopyIn(_host.Context(), Bytes("whole"), "/data/file", new("34", null));
        Assert.Equal("file\n", (await service.Exec(_host.Context(), "ls", "-A", "/data").Run()).Stdout);

        _host.ToolEnvironment["PATH"] = $"{bin}:{real}";
        var copy = service.CopyIn(_host.Context(), Bytes("new"), "/data/file", new(null, null));
        await Eventually.True(() => File.Exists(stuck), "the file is about to get its name");
        _host.Cancel();
        Assert.Equal(FailureClass.Cancelled, (await Assert.ThrowsAsync<StepFailedException>(() => copy)).Failure);
        Assert.Equal("file", _docker.Docker("exec", _name, "ls", "-A", "/data"));
        Assert.Equal("whole", _docker.Docker("exec", _name, "cat", "/data/file"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Remove_takes_a_folder_away_and_a_missing_one_is_done(bool running)
    {
        var service = _docker.Container(_host, _name).Service;
        await service.Exec(_host.Context(), "sh", "-c", "mkdir -p /data/a/b; touch /data/a/b/c /data/keep").Run();
        if (!running)
            await service.Stop(_host.Context(), DockerFixture.Grace);
        await service.Remove(_host.Context(), "/data/a");
        await service.Remove(_host.Context(), "/data/a");
        Assert.Equal("keep\n", (await service.OneOff(_host.Context(), "ls", "/data").Run()).Stdout);
        await Assert.ThrowsAsync<RunbookException>(() => service.Remove(_host.Context(), "/data"));
    }

    [Fact]
    public async Task An_engine_that_is_not_there_is_said_in_words()
    {
        var service = _host.Add("far", new DockerTarget { Container = "x", Host = "tcp://127.0.0.1:9" }).Service;
        var e = await Assert.ThrowsAsync<StepFailedException>(() => service.State(_host.PlanContext()));
        Assert.Equal(FailureClass.Transient, e.Failure);
        Assert.Contains("Cannot connect to the Docker daemon", e.Message);
        Assert.Null(await service.Place(_host.PlanContext()));
    }

    static MemoryStream Bytes(string text) => new(Encoding.UTF8.GetBytes(text));
    static Mode Parsed(string text) => Mode.TryParse(text, out var mode) ? mode : throw new ArgumentException(text);

    static string CommandLine(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline"));
        }
        catch (IOException)
        {
            return "";
        }
    }
}
