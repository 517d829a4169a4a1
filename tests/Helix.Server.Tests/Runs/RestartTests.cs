using Helix.Runbooks.Journal;
using Helix.Server.Accounts;

namespace Helix.Server.Tests.Runs;

/// <summary>The real <c>helix serve</c> as a process that dies.</summary>
public sealed class RestartTests
{
    [Fact]
    public async Task A_server_that_is_killed_goes_on_with_its_runs_when_it_is_back()
    {
        await using var here = new ServerHere();
        here.Runbook("slow", Books.Slow);
        string run;
        using (var first = await ServeProcess.Start(here))
        {
            using var alice = await first.Administrator();
            run = (await alice.Post("/runbooks/slow/start", ("environment", "here"), ("mode", "live"))).Run;
            await Eventually.True(() => File.Exists(Path.Combine(here.Folder, "slow")), "the slow step runs");
            first.Kill();
        }
        using var second = await ServeProcess.Start(here);
        await File.WriteAllTextAsync(Path.Combine(here.Folder, "on"), "");
        await Ends(here, run, RunStatus.Succeeded);
        // A step that had succeeded is not done again.
        Assert.Equal("once\nlast\n", await File.ReadAllTextAsync(Path.Combine(here.Folder, "world")));
    }

    [Fact]
    public async Task A_run_that_waits_is_left_alone_by_a_restart_and_goes_on_when_it_is_answered()
    {
        await using var here = new ServerHere();
        here.Runbook("gate", Books.Gate);
        string run;
        using (var first = await ServeProcess.Start(here))
        {
            using var alice = await first.Administrator("alice");
            run = (await alice.Post("/runbooks/gate/start", ("environment", "here"), ("mode", "live"))).Run;
            await here.IsLetGo(run);
            first.Kill();
        }
        await here.Start();
        using var bob = await here.LogIn("bob", Role.Approver);
        var before = here.State(run).LastSequence;
        await bob.Get("/runs/" + run);
        Assert.Equal(before, here.State(run).LastSequence);
        await bob.Decide(run, "approve", ("form.ticket", "INC-1"));
        await here.Becomes(run, RunStatus.Succeeded);
    }

    [Fact]
    public async Task A_server_that_is_stopped_suspends_its_runs_and_the_next_one_resumes_them()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("slow", Books.Slow);
        using var alice = await here.LogIn("alice", Role.Operator);
        var run = (await alice.Post("/runbooks/slow/start", ("environment", "here"), ("mode", "live"))).Run;
        await Eventually.True(() => File.Exists(Path.Combine(here.Folder, "slow")), "the slow step runs");
        await here.Stop();
        Assert.Equal("the server stops", Read(here, run).SuspendedBecause);
        await File.WriteAllTextAsync(Path.Combine(here.Folder, "on"), "");
        await here.Start();
        await here.Becomes(run, RunStatus.Succeeded);
    }

    [Fact]
    public async Task A_run_that_a_terminal_drives_is_shown_and_never_driven_a_second_time()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("slow", Books.Slow);
        using var alice = await here.LogIn("alice", Role.Operator);
        using var terminal = await HelixProcess.DrivesSlow(here);
        var run = here.Store.Runs()[0].Run;
        Assert.Contains("Driven by process", (await alice.Get("/runs/" + run)).Text, StringComparison.Ordinal);
        Assert.Equal(System.Net.HttpStatusCode.Conflict, (await alice.Post($"/runs/{run}/resume")).Status);
        await File.WriteAllTextAsync(Path.Combine(here.Folder, "on"), "");
        await here.Becomes(run, RunStatus.Succeeded);
        Assert.Equal(1, here.State(run).Epoch);
        Assert.Single(await File.ReadAllLinesAsync(Path.Combine(here.Folder, "slow")));
    }

    [Fact]
    public async Task Who_started_a_run_at_a_terminal_cannot_approve_it_on_the_server()
    {
        await using var here = await new ServerHere().Start();
        here.Environment("here", System.Environment.UserName, "bob");
        here.Runbook("gate", Books.Gate);
        using var me = await here.LogIn(System.Environment.UserName, Role.Operator, Role.Approver);
        using var bob = await here.LogIn("bob", Role.Approver);
        using (var terminal = new HelixProcess(here, ["run", Path.Combine(here.Runbooks, "gate.yaml"), "-e", Path.Combine(here.Runbooks, "environments", "here.yaml"), "--unattended"]))
            Assert.Equal(4, await terminal.End());
        var run = here.Store.Runs()[0].Run;
        Assert.Contains("may not approve it", (await me.Post($"/runs/{run}/answer", ("question", "go"), ("choice", "approve"), ("form.ticket", "X"))).Text, StringComparison.Ordinal);
        // The answer of another person lets the server go on with it.
        await bob.Decide(run, "approve", ("form.ticket", "X"));
        await here.Becomes(run, RunStatus.Succeeded);
    }

    static RunState Read(ServerHere here, string run)
    {
        using var store = JournalStore.Open(here.StorePath, TimeProvider.System);
        return RunState.Of(run, store.Read(run));
    }

    static Task Ends(ServerHere here, string run, RunStatus status) => Eventually.True(() => Read(here, run).Status == status, $"run {run} is {status}");
}
