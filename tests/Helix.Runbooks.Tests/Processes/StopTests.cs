using Helix.Runbooks.Steps;
using Helix.Runbooks.Steps.Processes;
using Microsoft.Extensions.Time.Testing;

namespace Helix.Runbooks.Tests.Processes;

public sealed class StopTests : IDisposable
{
    readonly CountingClock _clock = new();
    readonly TestHost _host;

    public StopTests() => _host = new() { ToolTime = _clock };
    public void Dispose() => _host.Dispose();

    async Task<(Task<ToolResult> Run, int Pid)> Started(Tool tool, string said = "stdout: ready")
    {
        var run = tool.Run();
        await Eventually.True(() => _host.Logged.Contains(said), "the tool runs");
        return (run, LeftOverProcess.Of(_host.PidFolder, "test/step").Single().Identity.Pid);
    }

    [Fact]
    public async Task Cancel_sends_SIGINT_and_lets_the_tool_end_properly()
    {
        var (run, pid) = await Started(Fake.Tool(_host, "graceful", "0"));
        _host.Cancel();
        var e = await Assert.ThrowsAsync<StepFailedException>(() => run);
        Assert.Equal(FailureClass.Cancelled, e.Failure);
        Assert.Contains("stdout: got SIGINT", _host.Logged);
        Assert.Null(ProcessIdentity.Of(pid));
    }

    [Fact]
    public async Task After_half_the_grace_comes_SIGTERM_and_at_its_end_the_whole_group_is_killed()
    {
        var (run, pid) = await Started(Fake.Tool(_host, "ignore", "SIGINT", "SIGTERM") with { Grace = TimeSpan.FromMinutes(1) });
        _host.Cancel();
        await Eventually.True(() => _clock.Timers == 1 && _host.Logged.Contains("stdout: got SIGINT"), "it is asked, and waited for");
        _clock.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(1, _clock.Timers);
        _clock.Advance(TimeSpan.FromSeconds(1));
        await Eventually.True(() => _clock.Timers == 2 && _host.Logged.Contains("stdout: got SIGTERM"), "it is asked again, and waited for");
        _clock.Advance(TimeSpan.FromSeconds(29));
        Assert.False(run.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));
        var e = await Assert.ThrowsAsync<StepFailedException>(() => run);
        Assert.Contains("137", e.Message);
        Assert.Equal(["stdout: ready", "stdout: got SIGINT", "stdout: got SIGTERM"], _host.Logged);
        Assert.DoesNotContain(ProcessStat.All(), p => p.Group == pid && !p.Ended);
    }

    [Fact]
    public async Task A_second_request_kills_at_once()
    {
        var (run, _) = await Started(Fake.Tool(_host, "ignore", "SIGINT", "SIGTERM") with { Grace = TimeSpan.FromMinutes(10) });
        _host.Cancel();
        await Eventually.True(() => _host.Logged.Contains("stdout: got SIGINT"), "the first request arrived");
        _host.KillNow();
        await Assert.ThrowsAsync<StepFailedException>(() => run.WaitAsync(Hang.Limit, TimeProvider.System));
    }

    [Fact]
    public async Task What_a_cancelled_tool_started_goes_with_it()
    {
        var (run, pid) = await Started(_host.Context().Tool("sh", "-c", "(trap '' INT TERM; sleep 60; sleep 60) & echo ready; wait"));
        _host.Cancel();
        await Assert.ThrowsAsync<StepFailedException>(() => run);
        await Eventually.True(() => !ProcessStat.All().Any(p => p.Group == pid && !p.Ended), "the group is gone");
    }

    [Fact]
    public async Task A_cancelled_step_starts_nothing()
    {
        _host.Cancel();
        var e = await Assert.ThrowsAsync<StepFailedException>(() => Fake.Tool(_host, "exit", "0").Run());
        Assert.Equal(FailureClass.Cancelled, e.Failure);
    }

    [Fact]
    public async Task PRC_04_a_child_that_outlived_its_engine_is_known_waited_for_and_ended()
    {
        var (run, pid) = await Started(_host.Context().Tool("sh", "-c", "echo ready; sleep 60 & exec sleep 60"));
        var file = Directory.EnumerateFiles(_host.PidFolder).Single();
        Assert.Equal("test%2Fstep.1", Path.GetFileName(file));

        var left = LeftOverProcess.Read(file)!;
        Assert.True(left.IsAlive);
        Assert.True(await left.KillGroup(TimeSpan.FromSeconds(2), TimeProvider.System, CancellationToken.None));
        await left.WaitForEnd(TimeProvider.System, CancellationToken.None);
        Assert.False(left.GroupIsAlive);
        await Assert.ThrowsAsync<StepFailedException>(() => run);
        Assert.Null(LeftOverProcess.Read(file));
    }

    [Fact]
    public void A_process_that_only_has_the_same_pid_is_another_one()
    {
        var own = ProcessIdentity.Of(System.Environment.ProcessId)!;
        var file = Path.Combine(_host.Folder, "pid");
        File.WriteAllText(file, $"{own.Pid} {own.StartTicks} {own.Boot}\n");
        Assert.True(LeftOverProcess.Read(file)!.IsAlive);
        File.WriteAllText(file, $"{own.Pid} {own.StartTicks - 1} {own.Boot}\n");
        Assert.False(LeftOverProcess.Read(file)!.IsAlive);
        Assert.False(LeftOverProcess.Read(file)!.GroupIsAlive);
        File.WriteAllText(file, $"{own.Pid} {own.StartTicks} {Guid.NewGuid()}\n");
        Assert.False(LeftOverProcess.Read(file)!.IsAlive);
    }

    /// <summary>Time passes when the test says so, which sees that somebody waits for it.</summary>
    sealed class CountingClock : FakeTimeProvider
    {
        int _timers;

        public int Timers => Volatile.Read(ref _timers);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Interlocked.Increment(ref _timers);
            return timer;
        }
    }
}
