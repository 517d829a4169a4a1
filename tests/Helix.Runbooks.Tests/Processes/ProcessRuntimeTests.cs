using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Steps.Processes;
using Helix.Steps.Targets;

namespace Helix.Runbooks.Tests.Processes;

public sealed class ProcessRuntimeTests : IDisposable
{
    // What ends by itself ends long before.
    static readonly TimeSpan Grace = Hang.Limit;

    readonly WatchedClock _clock = new();
    readonly TestHost _host;
    readonly List<Runtime> _services = [];

    public ProcessRuntimeTests() => _host = new() { Clock = _clock };

    public void Dispose()
    {
        foreach (var service in _services)
            service.Stop(_host.Context(), TimeSpan.FromMilliseconds(200)).Wait();
        _host.Dispose();
    }

    string In(string name) => Path.Combine(_host.Folder, name);

    ProcessTarget Service(string name, params string[] start)
    {
        var target = _host.Add(name, new ProcessTarget { Start = start, PidFile = In($"{name}.pid"), Directory = _host.Folder, Log = In($"{name}.log"), Environment = new Dictionary<string, string> { ["WHO"] = name } });
        _services.Add(target.Service);
        return target;
    }

    [Fact]
    public async Task A_service_outlives_the_step_that_started_it_in_a_session_of_its_own()
    {
        var service = Service("s", "sh", "-c", "echo $WHO in $PWD; exec sleep 1000").Service;
        await service.Start(_host.Context());
        await service.Start(_host.Context());
        var pid = int.Parse(File.ReadAllText(In("s.pid")));
        Assert.NotEqual(ProcessStat.Read(System.Environment.ProcessId)!.Session, ProcessStat.Read(pid)!.Session);
        await Eventually.True(() => File.ReadAllText(In("s.log")) == $"s in {_host.Folder}\n", "its output is in its log");
        Assert.Empty(Directory.EnumerateFiles(_host.PidFolder));

        var stopped = await service.Stop(_host.Context(), Grace);
        Assert.Equal((RuntimeStatus.Stopped, 143), (stopped.Status, stopped.ExitCode));
        Assert.Equal(143, (await service.Stop(_host.Context(), Grace)).ExitCode);
    }

    [Fact]
    public async Task The_exit_code_of_a_service_is_known_also_where_its_parent_that_notes_it_has_no_turn_for_a_second()
    {
        var service = Service("s", "sleep", "1000").Service;
        await service.Start(_host.Context());
        var stat = File.ReadAllText($"/proc/{File.ReadAllText(In("s.pid")).Trim()}/stat");
        using var parent = Process.GetProcessById(int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1]));
        await parent.StopWhole();
        var pauses = 0;
        _clock.BeforeAPause = () =>
        {
            if (++pauses == 25)
                parent.Send(ProcessSignals.Continue);
            return true;
        };
        Assert.Equal(143, (await service.Stop(_host.Context(), Grace)).ExitCode);
    }

    [Fact]
    public async Task A_service_that_ignores_SIGTERM_is_killed_after_its_grace()
    {
        var service = Service("s", Fake.Path, "ignore", "SIGTERM").Service;
        await service.Start(_host.Context());
        await Eventually.True(() => File.ReadAllText(In("s.log")).Contains("ready"), "it runs");
        var stopped = await service.Stop(_host.Context(), TimeSpan.FromMilliseconds(300));
        Assert.Equal(137, stopped.ExitCode);
        Assert.Contains("killed", stopped.Detail);
    }

    [Fact]
    public async Task Without_a_grace_a_service_has_no_time_to_end_by_itself()
    {
        var service = Service("s", "sh", "-c", "trap 'echo tidied' TERM; echo ready; while :; do sleep 0.05; done").Service;
        await service.Start(_host.Context());
        await Eventually.True(() => File.ReadAllText(In("s.log")).Contains("ready"), "it runs");
        Assert.Equal(137, (await service.Stop(_host.Context(), TimeSpan.Zero)).ExitCode);
        Assert.DoesNotContain("tidied", File.ReadAllText(In("s.log")));
    }

    [Fact]
    public async Task A_service_of_which_only_the_first_thread_has_ended_still_runs_and_is_not_started_beside_itself()
    {
        var service = Service("s", Fake.Path, "first-thread-ends").Service;
        await service.Start(_host.Context());
        var pid = int.Parse(File.ReadAllText(In("s.pid")));
        await Eventually.True(() => ProcessStat.Read(pid)!.State == 'Z', "its first thread has ended");
        Assert.Equal(RuntimeStatus.Running, (await service.State(_host.PlanContext())).Status);
        await service.Start(_host.Context());
        Assert.Equal(pid, int.Parse(File.ReadAllText(In("s.pid"))));
        await service.Stop(_host.Context(), TimeSpan.FromMilliseconds(300));
        Assert.Null(ProcessIdentity.Of(pid));
    }

    [Fact]
    public async Task The_pid_is_on_disk_when_what_starts_a_service_has_ended_however_slow_the_machine()
    {
        var slow = In("setsid");
        await File.WriteAllTextAsync(slow, "#!/bin/sh\nsleep 0.3\nexec /usr/bin/setsid \"$@\"\n");
        File.SetUnixFileMode(slow, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Service("s", "sleep", "1000");
        var start = _host.Context().Tool("/bin/sh", "-c", ProcessRuntime.Detach, "sh", In("s.pid"), In("s.log"), "sleep", "1000");
        await (start with { Environment = new Dictionary<string, string?> { ["PATH"] = $"{_host.Folder}:/usr/bin:/bin" } }).Run();
        Assert.NotNull(ProcessIdentity.Of(int.Parse(File.ReadAllText(In("s.pid")))));
    }

    [Theory]
    [InlineData("")]
    [InlineData("sleep 0.3;")]
    public async Task A_service_that_ends_at_once_or_soon_fails_its_start_with_its_exit_code_and_last_words(string first)
    {
        Service("s", "sh", "-c", $"{first} echo bad configuration; exit 7");
        // However slow the machine, it ends while it is waited for.
        _clock.BeforeAPause = () => File.Exists(In("s.pid.exit"));
        var e = await _host.Fails(FailureClass.Transient, new TargetStart(), new() { Targets = ["s"] });
        Assert.Contains("exit code 7", e.Message);
        Assert.Contains("bad configuration", e.Message);
    }

    [Fact]
    public async Task A_pid_file_of_an_earlier_life_is_not_believed()
    {
        var service = Service("s", "sleep", "1000").Service;
        await File.WriteAllTextAsync(In("s.pid"), $"{System.Environment.ProcessId}\n");
        File.SetLastWriteTimeUtc(In("s.pid"), DateTime.UnixEpoch);
        Assert.Equal(RuntimeStatus.Stopped, (await service.State(_host.PlanContext())).Status);
        await service.Start(_host.Context());
        Assert.Equal(RuntimeStatus.Running, (await service.State(_host.PlanContext())).Status);
    }

    [Fact]
    public async Task A_service_runs_on_when_the_clock_was_set_forward_after_its_start_whoever_started_it()
    {
        var service = Service("s", "sleep", "1000").Service;
        await service.Start(_host.Context());
        var pid = File.ReadAllText(In("s.pid"));
        // To set the clock is to make the file older than its process.
        File.SetLastWriteTimeUtc(In("s.pid"), DateTime.UnixEpoch);
        Assert.Equal(RuntimeStatus.Running, (await service.State(_host.PlanContext())).Status);
        await service.Start(_host.Context());
        Assert.Equal(pid, File.ReadAllText(In("s.pid")));

        File.Delete(PidFileProcess.NoteOf(In("s.pid")));
        Assert.Equal(RuntimeStatus.Running, (await service.State(_host.PlanContext())).Status);
        // Its command line is like the service's, and that is all: neither a second one is started nor a stranger killed.
        var like = _host.Add("like", new ProcessTarget { Start = ["sleep", "2000"], PidFile = In("s.pid"), Directory = "/" }).Service;
        var e = await Assert.ThrowsAsync<StepFailedException>(() => like.Start(_host.Context()));
        Assert.Equal(FailureClass.Conflict, e.Failure);
        Assert.Contains("touch", e.Hint);
        File.SetLastWriteTimeUtc(In("s.pid"), TimeProvider.System.GetUtcNow().UtcDateTime);
        Assert.Equal(RuntimeStatus.Running, (await like.State(_host.PlanContext())).Status);
    }

    [Fact]
    public async Task A_pid_file_that_holds_something_else_is_not_taken_for_a_service_that_is_stopped()
    {
        var service = Service("s", "sleep", "1000").Service;
        await service.Start(_host.Context());
        var pid = File.ReadAllText(In("s.pid"));
        await File.WriteAllTextAsync(In("s.pid"), "running");
        Assert.Equal(FailureClass.InvalidData, (await Assert.ThrowsAsync<StepFailedException>(() => service.State(_host.PlanContext()))).Failure);
        // As PostgreSQL writes it: more lines follow.
        await File.WriteAllTextAsync(In("s.pid"), $"{pid}/var/lib/postgresql\n5432\n");
        Assert.Equal(RuntimeStatus.Running, (await service.State(_host.PlanContext())).Status);
    }

    [Fact]
    public async Task Stop_records_what_it_leaves_before_it_acts_and_start_takes_it_back()
    {
        Service("s", "sleep", "1000");
        await _host.Run(new TargetStart(), new() { Targets = ["s"] });
        var service = _services[0];
        RuntimeState? seen = null;
        _host.OnLeave = _ => seen = service.State(_host.PlanContext()).Result;
        await _host.Run(new TargetStop(), new() { Targets = ["s"] });
        Assert.Equal(RuntimeStatus.Running, seen!.Status);
        var left = Assert.Single(_host.Left);
        Assert.Equal(("stopped:s", "target.start", """{"targets":["s"]}"""), (left.Key, left.Undo!.Uses, left.Undo.With.ToJsonString()));
        var found = await _host.Run(new TargetStart(), new() { Targets = ["s"] });
        Assert.Equal(["s"], found.Started);
        Assert.Empty(_host.Left);
        await _host.Run(new TargetRestart(), new() { Targets = ["s"] });
        Assert.Empty(_host.Left);
    }

    /// <summary>In a shell of people each job is a group of its own, and setsid forks.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("set -m; ")]
    public async Task The_command_of_the_residue_starts_the_service_as_the_step_would(string shell)
    {
        var target = Service("s", "sh", "-c", "echo 'it''s' \"$0\" of $WHO; exec sleep 1000", "a b");
        await _host.Context().Tool("bash", "-c", shell + target.Service.StartCommand).Run();
        await Eventually.True(async () => (await target.Service.State(_host.PlanContext())).Status == RuntimeStatus.Running, "it runs");
        await Eventually.True(() => File.ReadAllText(In("s.log")) == "its a b of s\n", "with its arguments and its variables");
        // The pid is the service's own, not that of a shell around it: a stop would leave the service running.
        var pid = int.Parse(File.ReadAllText(In("s.pid")));
        Assert.Equal(pid, ProcessStat.Read(pid)!.Session);
    }

    [Fact]
    public async Task DOC_09_start_waits_for_the_targets_own_answer_and_tells_the_last_one_at_its_limit()
    {
        var port = 9;
        _host.Add("web", new AnsweringTarget { Runtime = new() { Process = new() { Start = ["sleep", "1000"], PidFile = In("web.pid"), Directory = _host.Folder } }, AnswerFile = In("answer") });
        _services.Add(_host.Context().Target<RunningTarget>("web").Service);
        var e = await _host.Fails(FailureClass.TimedOut, new TargetStart(), new() { Targets = ["web"], Limit = new(TimeSpan.FromMilliseconds(400)) });
        Assert.Contains("no answer yet", e.Message);
        var run = _host.Run(new TargetStart(), new() { Targets = ["web"], Limit = new(Hang.Limit) });
        await File.WriteAllTextAsync(In("answer"), $"port {port}");
        Assert.Equal($"port {port}", (await run).Found["web"]);
    }

    [Fact]
    public async Task Copy_follows_links_compares_and_keeps_owner_and_mode_of_what_it_replaces()
    {
        var service = Service("s", "sleep", "1000").Service;
        Directory.CreateDirectory(In("real"));
        await File.WriteAllTextAsync(In("real/dump"), "old");
        File.SetUnixFileMode(In("real/dump"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        await _host.Context().Tool("chown", "12:34", In("real/dump")).Run();
        File.CreateSymbolicLink(In("dump"), "real/dump");
        await service.CopyIn(_host.Context(), new MemoryStream("new"u8.ToArray()), "dump", new(null, null));
        Assert.Equal("12:34 404 regular file\n", (await _host.Context().Tool("stat", "-c", "%u:%g %a %F", In("real/dump")).Run()).Stdout);
        Assert.Equal("real/dump", new FileInfo(In("dump")).LinkTarget);
        await File.WriteAllTextAsync(Helix.Steps.Files.Unfinished.NameFor(_host.Context(), In("real/dump")), "left by an attempt that was killed");
        await service.CopyIn(_host.Context(), new MemoryStream("new"u8.ToArray()), "dump", new(null, null));
        using var to = new MemoryStream();
        Assert.Equal(3, await service.CopyOut(_host.Context(), "dump", to));
        Assert.Equal("new", Encoding.UTF8.GetString(to.ToArray()));
        Assert.Equal(["dump"], Directory.EnumerateFiles(In("real")).Select(Path.GetFileName));
    }

    [Fact]
    public async Task The_copy_step_measures_both_ways_refuses_an_empty_file_and_can_tell_after_a_crash()
    {
        Service("s", "sleep", "1000");
        await File.WriteAllTextAsync(In("inside"), "content");
        var copyOut = new TargetCopyOptions { Target = "s", Inside = In("inside"), To = "work/out" };
        Assert.Equal(ProbeVerdict.NotDone, (await _host.Probe(new TargetCopy(), copyOut)).Verdict);
        await File.WriteAllTextAsync(Helix.Steps.Files.Unfinished.NameFor(_host.Context(), Path.Combine(_host.Work, "out")), "left by an attempt that was killed");
        var copied = await _host.Run(new TargetCopy(), copyOut);
        Assert.Equal(["out"], Directory.EnumerateFiles(_host.Work).Select(Path.GetFileName));
        Assert.Equal((7, "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"), (copied.Size, copied.Sha256));
        Assert.Equal(copied, (await _host.Probe(new TargetCopy(), copyOut)).Outputs);
        var copyIn = new TargetCopyOptions { Target = "s", Inside = In("other"), From = "work/out", Mode = null };
        await _host.Run(new TargetCopy(), copyIn);
        Assert.Equal(ProbeVerdict.Done, (await _host.Probe(new TargetCopy(), copyIn)).Verdict);
        await File.WriteAllTextAsync(In("inside"), "");
        await _host.Fails(FailureClass.InvalidData, new TargetCopy(), copyOut);
        Assert.Equal(Effect.Reads, new TargetCopy().Effects(copyOut).Single().Effect);
        Assert.Equal(Effect.Changes, new TargetCopy().Effects(copyIn).Single().Effect);
    }

    [Fact]
    public async Task Exec_runs_beside_the_service_with_its_folder_and_variables()
    {
        Service("s", "sleep", "1000");
        var result = await _host.Run(new TargetExec(), new() { Target = "s", Argv = ["sh", "-c", "echo $WHO $PWD"], Outputs = new Dictionary<string, DeclaredOutput> { ["o"] = new() } });
        Assert.Equal($"s {_host.Folder}", result.Values["o"]!.ToString());
    }

    [Fact]
    public void A_process_target_takes_no_other_runtime()
    {
        var members = Model.Shapes.ShapeOf.Record(typeof(ProcessTarget)).Members.Keys;
        Assert.Contains("pidFile", members);
        Assert.DoesNotContain("runtime", members);
    }

    [Theory]
    [InlineData("{}", "has no runtime")]
    [InlineData("""{"docker": "a", "compose": "b"}""", "more than one")]
    [InlineData("""{"process": {"start": [], "pidFile": "/x", "directory": "/"}}""", "'start' is empty")]
    public void A_runtime_that_is_not_complete_is_said_in_words(string runtime, string words)
    {
        var target = _host.Add("x", (ServiceTarget)StepJson.Bind(JsonNode.Parse($$"""{"runtime": {{runtime}}}""")!, typeof(ServiceTarget)));
        Assert.Contains(words, Assert.Throws<RunbookException>(() => target.Service).Message);
    }

    /// <summary>Is ready when a file holds its answer.</summary>
    sealed record AnsweringTarget : RunningTarget
    {
        public required string AnswerFile { get; init; }
        public override string Address => AnswerFile;
        public override Task<string> Check(PlanContext context) =>
            File.Exists(AnswerFile) ? File.ReadAllTextAsync(AnswerFile) : throw StepFailedException.Transient("no answer yet");
    }
}
