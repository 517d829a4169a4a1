using System.Text;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Steps.Processes;

namespace Helix.Runbooks.Tests.Processes;

public sealed class PipeTests : IDisposable
{
    readonly TestHost _host = new();
    public void Dispose() => _host.Dispose();

    Tool Sh(string script) => _host.Context().Tool("sh", "-c", script);

    [Fact]
    public async Task PRC_06_a_failed_dump_is_a_failure_although_the_compressor_would_succeed()
    {
        using var archive = new MemoryStream();
        var e = await Assert.ThrowsAsync<StepFailedException>(() =>
            Sh("echo half of it; echo no such database >&2; exit 1").PipeTo(_host.Context().Tool("gzip") with { Output = archive }).Run());
        Assert.Contains("no such database", e.Message);
        Assert.DoesNotContain("gzip", e.Message);
        Assert.Equal(0, archive.Length);
    }

    [Fact]
    public async Task The_second_tools_failure_is_the_cause_also_when_the_first_dies_of_the_closed_pipe()
    {
        var e = await Assert.ThrowsAsync<StepFailedException>(() => Sh("yes").PipeTo(Sh("echo disk full >&2; exit 4")).Run());
        Assert.Contains("exit code 4", e.Message);
        Assert.DoesNotContain("141", e.Message);
    }

    [Fact]
    public async Task All_exit_codes_are_there()
    {
        var results = await Sh("echo a; exit 3").Accept(3).PipeTo(Sh("cat; exit 5").Accept(5)).PipeTo(Sh("tr a b")).Run();
        Assert.Equal([3, 5, 0], results.Select(r => r.ExitCode));
        Assert.Equal("b\n", results[^1].Stdout);
    }

    [Fact]
    public async Task A_tool_that_ended_before_its_input_was_flushed_is_judged_by_its_exit_code()
    {
        // CliWrap closes the input of a process that has ended, also in the middle of a write.
        var closed = new FileStream(Path.Combine(_host.Folder, "input"), FileMode.Create);
        await closed.DisposeAsync();
        Assert.False(await Child.Write(closed, "go"u8.ToArray(), CancellationToken.None));
        await Task.WhenAll(Enumerable.Range(0, 200).Select(async _ => Assert.Equal(0, (await Sh("exit 0").Run()).ExitCode)));
    }

    [Fact]
    public async Task What_a_tool_said_at_its_end_is_whole_although_the_machine_stood_still_for_seconds_then()
    {
        var output = new ChildOutput(new() { Masker = new(), Time = new StallingClock() }, ToolStream.Stdout, log: false, to: null, CancellationToken.None);
        Assert.True(await output.TakeAll(new MemoryStream(Encoding.UTF8.GetBytes(new string('x', 150_000))), Task.CompletedTask));
        Assert.Equal(150_000, output.Text.Length);
    }

    /// <summary>Five seconds pass between two looks.</summary>
    sealed class StallingClock : TimeProvider
    {
        long _now;

        public override long TimestampFrequency => 1;
        public override long GetTimestamp() => _now += 5;
    }

    [Fact]
    public async Task Cancel_ends_all_of_them()
    {
        var run = Sh("echo ready >&2; exec sleep 60").PipeTo(Sh("exec cat")).Run();
        await Eventually.True(() => _host.Logged.Contains("stderr: ready"), "it runs");
        _host.Cancel();
        var e = await Assert.ThrowsAsync<StepFailedException>(() => run);
        Assert.Equal(FailureClass.Cancelled, e.Failure);
    }
}
