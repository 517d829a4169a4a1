using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Server.Accounts;

namespace Helix.Server.Tests.Runs;

/// <summary>How a run stands is shown as it is, also while nothing is added to its record.</summary>
public sealed class StandingTests
{
    [Fact]
    public async Task The_clocks_of_a_run_that_waits_for_people_go_on()
    {
        var clock = new WholeClock();
        await using var here = await new ServerHere { Time = clock }.Start();
        here.Runbook("gate", Books.Gate.Replace("expiresAfter: 30m", "expiresAfter: 10h", StringComparison.Ordinal));
        using var alice = await here.LogIn("alice", Role.Operator);
        var run = (await alice.Post("/runbooks/gate/start", ("environment", "here"), ("mode", "live"))).Run;
        await here.Becomes(run, RunStatus.Waiting);
        await Eventually.True(() => here.Store.ReadLease(run) is { Released: true }, "the run is let go");
        async Task<string> Page() => (await alice.Get("/runs/" + run)).Text;
        Assert.Contains("RTO 1h, 5", await Page(), StringComparison.Ordinal);
        clock.Pass(TimeSpan.FromMinutes(40));
        var page = await Page();
        Assert.Contains("RTO 1h, 1", page, StringComparison.Ordinal);
        Assert.Contains("""<span>Waiting for people</span><b class="value">0:4""", page, StringComparison.Ordinal);
        clock.Pass(TimeSpan.FromMinutes(40));
        Assert.Contains("over by 2", await Page(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_whose_driver_was_killed_is_shown_as_suspended_wherever_it_is_looked_at()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("slow", Books.Slow);
        using var alice = await here.LogIn("alice", Role.Operator);
        using var terminal = await HelixProcess.DrivesSlow(here);
        var run = here.Store.Runs()[0].Run;
        var api = $"/api/v1/runs/{run}";
        var before = await alice.Get(api);
        Assert.Equal("running", JsonNode.Parse(before.Text)!["status"]!.GetValue<string>());
        Assert.Contains("Under way.", (await alice.Get("/runs/" + run)).Text, StringComparison.Ordinal);
        terminal.Kill();

        // Whoever asks for what is new since hears of it too, though nothing was added to the record.
        alice.Client.DefaultRequestHeaders.IfNoneMatch.Add(before.Message.Headers.ETag!);
        var report = JsonNode.Parse((await alice.Get(api)).Text)!;
        Assert.Equal("suspended", report["status"]!.GetValue<string>());
        Assert.DoesNotContain(report["steps"]!.AsArray(), s => s!["status"]!.GetValue<string>() == "running");
        var page = (await alice.Get("/runs/" + run)).Text;
        Assert.Contains("Suspended, its driver is gone", page, StringComparison.Ordinal);
        Assert.Contains("in doubt: its driver went while it ran", page, StringComparison.Ordinal);
        Assert.DoesNotContain("running for", page, StringComparison.Ordinal);

        await File.WriteAllTextAsync(Path.Combine(here.Folder, "on"), "");
        Assert.Equal(System.Net.HttpStatusCode.Redirect, (await alice.Post($"/runs/{run}/resume")).Status);
        await here.Becomes(run, RunStatus.Succeeded);
    }

    /// <summary>Set ahead by the test, as is what is measured with it.</summary>
    sealed class WholeClock : TimeProvider
    {
        long _ahead;

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref _ahead));
        public override long GetTimestamp() => System.GetTimestamp() + (long)(TimeSpan.FromTicks(Volatile.Read(ref _ahead)).TotalSeconds * TimestampFrequency);
        public void Pass(TimeSpan time) => Interlocked.Add(ref _ahead, time.Ticks);
    }
}
