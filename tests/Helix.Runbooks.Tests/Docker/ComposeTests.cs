using Helix.Runbooks.Steps;
using Helix.Steps.Compose;
using Helix.Steps.Targets;

namespace Helix.Runbooks.Tests.Docker;

[Collection("compose")]
public sealed class ComposeTests : IDisposable
{
    readonly DockerFixture _docker;
    readonly TestHost _host = new();

    public ComposeTests(DockerFixture docker)
    {
        docker.Need();
        _docker = docker;
    }

    public void Dispose() => _host.Dispose();

    Task<ComposeUpOutputs> Up(params string[] services) => _host.Run(new ComposeUp(), new() { Target = "stack", Services = services, Limit = new(Hang.Limit) });

    [Fact]
    public async Task A_service_goes_up_stops_starts_and_down_again_with_its_residue_recorded_and_taken_back()
    {
        var stack = _docker.Stack(_host, DockerFixture.RedisService);
        var service = DockerFixture.Service(_host, "redis", "redis");
        var up = await Up();
        Assert.Single(up.Containers);
        Assert.Equal(ProbeVerdict.Done, (await _host.Probe(new ComposeUp(), new() { Target = "stack", Services = ["redis"] })).Verdict);
        Assert.Contains($"/{stack.Project}/redis", await service.ReadPlace(_host.PlanContext()));

        var running = new List<bool>();
        _host.OnLeave = r => running.Add(_docker.Docker("ps", "--format", "{{.Names}}").Contains(stack.Project, StringComparison.Ordinal));
        var stop = new TargetStopOptions { Targets = ["redis"], Grace = new(DockerFixture.Grace) };
        Assert.Equal(0, (await _host.Run(new TargetStop(), stop)).ExitCodes["redis"]);
        Assert.Equal([true], running);
        Assert.Equal("stopped:redis", Assert.Single(_host.Left).Key);
        Assert.Equal(["redis"], (await _host.Run(new TargetStop(), stop)).StoppedBefore);
        Assert.Equal(ProbeVerdict.Done, (await _host.Probe(new TargetStop(), stop)).Verdict);

        // The command of the residue works as it is, from anywhere.
        _docker.Shell(Assert.Single(_host.Left).Command);
        Assert.Equal(ProbeVerdict.NotDone, (await _host.Probe(new TargetStop(), stop)).Verdict);
        await _host.Run(new TargetStart(), new() { Targets = ["redis"] });
        Assert.Empty(_host.Left);

        var down = await _host.Run(new ComposeDown(), new() { Target = "stack", Grace = new(DockerFixture.Grace) });
        Assert.Single(down.Containers);
        Assert.Equal("stopped:stack", Assert.Single(_host.Left).Key);
        Assert.Equal(RuntimeStatus.Missing, (await service.Service.State(_host.PlanContext())).Status);
        // A service without a container is created by its start.
        await _host.Run(new TargetStart(), new() { Targets = ["redis"] });
        // What a step that was killed while it read the volume has left.
        _docker.Docker("create", "--name", $"helix-volume-{stack.Project}", "--network", "none", "-v", $"{stack.Project}_data:/helix-volume", DockerFixture.Image, "true");
        var gone = await _host.Run(new ComposeDown(), new() { Target = "stack", Volumes = true, Grace = new(DockerFixture.Grace) });
        Assert.Single(gone.Volumes);
        Assert.Equal(ProbeVerdict.Done, (await _host.Probe(new ComposeDown(), new() { Target = "stack", Volumes = true })).Verdict);
    }

    [Fact]
    public async Task What_ended_before_and_is_not_started_by_up_does_not_make_it_fail()
    {
        var stack = _docker.Stack(_host, DockerFixture.RedisService);
        // Of a service that the file does not name any more.
        var old = _docker.Docker("run", "-d", "--network", "none", "--label", $"com.docker.compose.project={stack.Project}", "--label", "com.docker.compose.service=old",
            "--label", "com.docker.compose.container-number=1", "--label", "com.docker.compose.oneoff=False", DockerFixture.Image, "sh", "-c", "exit 137");
        Assert.Equal("137", _docker.Docker("wait", old));
        Assert.Equal([$"{stack.Project}_redis_1"], (await Up()).Containers);
        // One that is started and ends is still told, also when it had ended before.
        _docker.Docker("rm", old);
        File.WriteAllText(stack.Files[0], File.ReadAllText(stack.Files[0]).Replace("[\"redis-server\", \"--dir\", \"/data\", \"--save\", \"\"]", "[\"sh\", \"-c\", \"exit 9\"]", StringComparison.Ordinal));
        var up = new ComposeUpOptions { Target = "stack" };
        Assert.Contains("ended with exit code 9", (await _host.Fails(FailureClass.Transient, new ComposeUp(), up)).Message);
        Assert.Contains("ended with exit code 9", (await _host.Fails(FailureClass.Transient, new ComposeUp(), up)).Message);
    }

    [Fact]
    public async Task The_command_that_takes_a_down_back_works_from_anywhere_with_the_variables_of_the_target()
    {
        var stack = _docker.Stack(_host, DockerFixture.RedisService.Replace("hello", "\"${GREETING}\"", StringComparison.Ordinal));
        var folder = Directory.CreateDirectory(Path.Combine(_host.Folder, "it's here")).FullName;
        File.Move(stack.Files[0], Path.Combine(folder, "my stack.yml"));
        await File.WriteAllTextAsync(Path.Combine(folder, "my.env"), "GREETING=from-the-file\n");
        _host.Add("elsewhere", stack with { Files = [Path.Combine(folder, "my stack.yml")], EnvFile = Path.Combine(folder, "my.env") });
        await _host.Run(new ComposeUp(), new() { Target = "elsewhere" });
        await _host.Run(new ComposeDown(), new() { Target = "elsewhere", Grace = new(DockerFixture.Grace) });
        _docker.Shell(Assert.Single(_host.Left).Command);
        Assert.Equal("from-the-file\n", (await DockerFixture.Service(_host, "redis", "redis").Service.Exec(_host.Context(), "sh", "-c", "echo $GREETING").Run()).Stdout);
    }

    [Fact]
    public void Down_with_volumes_destroys_and_without_only_changes()
    {
        Assert.Equal(Effect.Destroys, new ComposeDown().Effects(new() { Target = "stack", Volumes = true }).Single().Effect);
        Assert.Equal(Effect.Changes, new ComposeDown().Effects(new() { Target = "stack" }).Single().Effect);
    }

    [Fact]
    public async Task DOC_01_containers_are_found_by_labels_whatever_their_names_and_one_must_be_meant()
    {
        var stack = _docker.Stack(_host, DockerFixture.RedisService);
        string[] Labels(int number) => ["--label", $"com.docker.compose.project={stack.Project}", "--label", "com.docker.compose.service=redis", "--label", $"com.docker.compose.container-number={number}", "--label", "com.docker.compose.oneoff=False"];
        _docker.Docker(["run", "-d", "--network", "none", "--name", $"{stack.Project}-redis-1", .. Labels(1), DockerFixture.Image]);
        var service = DockerFixture.Service(_host, "redis", "redis").Service;
        Assert.Equal("1\n", (await service.Exec(_host.Context(), "sh", "-c", "echo 1").Run()).Stdout);

        _docker.Docker(["run", "-d", "--network", "none", "--name", $"{stack.Project}_redis_2", "-e", "WHO=two", .. Labels(2), DockerFixture.Image]);
        var e = await Assert.ThrowsAsync<StepFailedException>(() => service.Exec(_host.Context(), "true").Run());
        Assert.Contains($"{stack.Project}-redis-1", e.Message);
        Assert.Contains($"{stack.Project}_redis_2", e.Message);
        Assert.Contains("index", e.Hint);
        var second = DockerFixture.Service(_host, "second", "redis", index: 2).Service;
        Assert.Equal("two\n", (await second.Exec(_host.Context(), "sh", "-c", "echo $WHO").Run()).Stdout);

        var wrong = DockerFixture.Service(_host, "wrong", "rediss").Service;
        e = await Assert.ThrowsAsync<StepFailedException>(() => wrong.Stop(_host.Context(), TimeSpan.FromSeconds(1)));
        Assert.Equal(FailureClass.Missing, e.Failure);
        Assert.Contains("Services there: redis.", e.Message);
    }

    [Fact]
    public async Task A_one_off_process_has_the_services_volumes_and_variables_while_it_is_stopped()
    {
        _docker.Stack(_host, DockerFixture.RedisService);
        var service = DockerFixture.Service(_host, "redis", "redis").Service;
        await Up("redis");
        await service.Exec(_host.Context(), "sh", "-c", "echo kept >/data/x").Run();
        await service.Stop(_host.Context(), DockerFixture.Grace);
        var canary = await _host.Reveal(_host.Canary("PW"), default);
        var input = new byte[2_000_000];
        using var output = new MemoryStream();
        await (service.OneOff(_host.Context(), "sh", "-c", "cat /data/x; echo $GREETING ${#PW}; wc -c") with { Input = new MemoryStream(input), Output = output }).With("PW", canary).Run();
        Assert.Equal($"kept\nhello {canary.Length}\n2000000\n", System.Text.Encoding.UTF8.GetString(output.ToArray()));
        var run = await _host.Run(new ComposeRun(), new() { Target = "stack", Service = "redis", Argv = ["cat", "/data/x"], Outputs = new Dictionary<string, DeclaredOutput> { ["x"] = new() } });
        Assert.Equal("kept", run.Values["x"]!.ToString());
        _host.AssertNoCanary();
    }

    [Fact]
    public async Task A_secret_variable_of_the_Compose_file_is_asked_for_at_each_call_so_that_a_rotated_one_reaches_the_service()
    {
        _docker.Stack(_host, DockerFixture.RedisService.Replace("GREETING: hello", "PW: \"${PW}\"", StringComparison.Ordinal), ("PW", _host.Canary("FROM_VAULT")));
        var service = DockerFixture.Service(_host, "redis", "redis").Service;
        foreach (var value in new[] { "canary-before", "canary-after-rotation" })
        {
            _host.Canary("FROM_VAULT", value);
            await Up("redis");
            Assert.Equal($"{value.Length}\n", (await service.Exec(_host.Context(), "sh", "-c", "echo ${#PW}").Run()).Stdout);
        }
        _host.AssertNoCanary();
    }

    [Fact]
    public async Task DOC_07_scale_works_and_PM_05_stays_within_its_caps()
    {
        _docker.Stack(_host, DockerFixture.RedisService);
        DockerFixture.Service(_host, "redis", "redis");
        await Up("redis");
        var step = new TargetScale();
        Assert.Equal(2, (await _host.Run(step, new() { Target = "redis", Replicas = 2 })).Now);
        Assert.Equal(ProbeVerdict.Done, (await _host.Probe(step, new() { Target = "redis", Replicas = 2 })).Verdict);
        await _host.Run(step, new() { Target = "redis", Replicas = 1 });
        var left = Assert.Single(_host.Left);
        Assert.Equal("scaled:redis", left.Key);
        // The container that is too many is gone: to start what is there would change nothing.
        _docker.Shell(left.Command);
        Assert.Equal(ProbeVerdict.Done, (await _host.Probe(step, new() { Target = "redis", Replicas = 2 })).Verdict);
        await _host.Run(step, new() { Target = "redis", Replicas = 1 });
        await _host.Run(step, new() { Target = "redis", Replicas = 2 });
        Assert.Empty(_host.Left);
        var e = await Assert.ThrowsAsync<RunbookException>(() => _host.Run(step, new() { Target = "redis", Replicas = 100 }));
        Assert.Contains("at most 10", e.Message);
        await Assert.ThrowsAsync<RunbookException>(() => _host.Plan(step, new() { Target = "redis", Replicas = 0 }));
    }

    [Fact]
    public async Task DOC_07_without_any_form_of_compose_the_message_is_clear()
    {
        _docker.Stack(_host, DockerFixture.RedisService);
        var bin = Directory.CreateDirectory(Path.Combine(_host.Folder, "bin")).FullName;
        foreach (var tool in new[] { "sh", "cat" })
            File.CreateSymbolicLink(Path.Combine(bin, tool), $"/bin/{tool}");
        _host.ToolEnvironment["PATH"] = bin;
        var e = await _host.Fails(FailureClass.Missing, new ComposeUp(), new() { Target = "stack" });
        Assert.Contains("Neither 'docker compose' nor docker-compose", e.Message);
        Assert.Contains(bin, e.Message);
    }

    [Fact]
    public async Task DOC_07_the_plugin_form_is_used_where_it_is()
    {
        // A shim, not Compose v2: it takes the plugin's command line and hands it to docker-compose.
        var config = Directory.CreateDirectory(Path.Combine(_host.Folder, "docker/cli-plugins")).FullName;
        var shim = Path.Combine(config, "docker-compose");
        await File.WriteAllTextAsync(shim,
            """
            #!/bin/sh
            if [ "$1" = docker-cli-plugin-metadata ]; then echo '{"SchemaVersion":"0.1.0","Vendor":"shim","Version":"v2.0.0-shim"}'; exit; fi
            shift
            if [ "$1" = version ]; then echo 'Docker Compose version v2.0.0-shim'; exit; fi
            echo "through the plugin" >&2
            exec docker-compose "$@"
            """);
        File.SetUnixFileMode(shim, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _host.ToolEnvironment["DOCKER_CONFIG"] = Path.GetDirectoryName(config);
        _docker.Stack(_host, DockerFixture.RedisService);
        Assert.StartsWith("docker compose, ", await _host.Context().Target<ComposeTarget>("stack").Check(_host.PlanContext()), StringComparison.Ordinal);
        await Up("redis");
        Assert.Contains("stderr: through the plugin", _host.Logged);
        Assert.Equal("hello\n", (await DockerFixture.Service(_host, "redis", "redis").Service.OneOff(_host.Context(), "sh", "-c", "echo $GREETING").Run()).Stdout);
    }

    [Fact]
    public async Task DOC_09_start_waits_until_the_health_check_is_content_and_tells_its_last_answer_when_it_never_is()
    {
        var stack = _docker.Stack(_host,
            """
              slow:
                image: redis:7-local
                network_mode: none
                command: ["sh", "-c", "sleep 2; touch /tmp/ready; sleep 1000"]
                stop_grace_period: 1s
                healthcheck: { test: ["CMD", "test", "-e", "/tmp/ready"], interval: 300ms, retries: 100 }
              never:
                image: redis:7-local
                network_mode: none
                command: ["sleep", "1000"]
                healthcheck: { test: ["CMD-SHELL", "echo the index is being built; exit 1"], interval: 300ms, retries: 100 }
              crash:
                image: redis:7-local
                network_mode: none
                command: ["sh", "-c", "echo no such volume; exit 9"]
            """);
        foreach (var name in new[] { "slow", "never", "crash" })
            DockerFixture.Service(_host, name, name);
        var found = (await _host.Run(new TargetStart(), new() { Targets = ["slow"], Limit = new(Hang.Limit) })).Found;
        Assert.Equal("running, healthy", found["slow"]);
        // On a busy machine the engine has not looked yet when the time of the first is over.
        await Eventually.True(async () => (await _host.Fails(FailureClass.TimedOut, new TargetStart(), new() { Targets = ["never"], Limit = new(TimeSpan.FromSeconds(1)) }))
            .Message.Contains("the index is being built", StringComparison.Ordinal), "its answer is told");
        var e = await _host.Fails(FailureClass.Transient, new TargetStart(), new() { Targets = ["crash"], Limit = new(Hang.Limit) });
        Assert.Contains("exit code 9", e.Message);
        Assert.Contains("no such volume", e.Message);
        _docker.End(stack);
    }
}
