using Helix.Runbooks.Journal;
using Helix.Server.Accounts;

namespace Helix.Server.Tests.Api;

/// <summary>The real command line against a server.</summary>
public sealed class RemoteTests
{
    static async Task<(int Code, string Said)> Helix(ServerHere here, string? typed, params string[] arguments)
    {
        using var process = new HelixProcess(here, [.. arguments, "--server", here.Address.ToString()], typed);
        return (await process.End(), process.Said);
    }

    [Fact]
    public async Task Schedules_of_a_server_are_listed_paused_resumed_and_fired_from_another_machine()
    {
        await using var here = new ServerHere();
        here.Runbook("tell", "steps:\n  - { id: tell, uses: command.run, effect: reads, with: { argv: [echo, told] } }\n");
        here.Write("schedules.yaml", """
            apiVersion: helix.runbooks/v1
            name: schedules
            timeZone: UTC
            environment: environments/here.yaml
            schedules:
              yearly: { runbook: tell.yaml, cron: "0 0 1 JAN *", dst: once }
              wipes: { runbook: wipe.yaml, environment: environments/production.yaml, cron: "0 0 1 JAN *", dst: once }
            """);
        here.Write("environments/production.yaml", $"apiVersion: helix.runbooks/v1\nname: production\nprotected: true\ntargets:\n  shelf: {{ kind: directory, path: {here.Folder}/shelf, identity: {{ place: \"{here.Folder}/shelf\" }} }}\n");
        here.Runbook("wipe", "steps:\n  - { id: go, uses: approval, with: { message: \"Go?\", approvers: [bob] } }\n  - { id: wipe, uses: file.remove, with: { path: notes, base: . } }\n");
        await here.Start();
        await here.Server.Site.Timetable.Again();
        here.Accounts.Add("alice", [new Grant(Role.Operator, "*")]);
        Assert.Equal(0, (await Helix(here, here.Accounts.NewToken("alice", "cli", [Role.Operator], TimeSpan.FromDays(1)), "login")).Code);
        var (code, said) = await Helix(here, null, "schedule", "list");
        Assert.True(code == 0, said);
        Assert.Matches(@"yearly\s+tell\s+here\s+on\s+20\d\d-01-01 00:00", said);
        Assert.Equal(0, (await Helix(here, null, "schedule", "pause", "yearly")).Code);
        Assert.True(here.Accounts.IsPaused("yearly"));
        Assert.Contains("paused", (await Helix(here, null, "schedule", "list")).Said, StringComparison.Ordinal);
        Assert.Equal(0, (await Helix(here, null, "schedule", "resume", "yearly")).Code);
        Assert.False(here.Accounts.IsPaused("yearly"));
        (code, said) = await Helix(here, null, "schedule", "fire", "yearly");
        Assert.True(code == 0, said);
        Assert.Equal(("tell", "alice"), here.Store.Runs().Select(r => (r.Runbook, r.Operator)).Single());
        Assert.Equal(2, (await Helix(here, null, "schedule", "fire", "never")).Code);

        // What destroys in a protected environment is started by whoever names that.
        Assert.Equal(2, (await Helix(here, null, "schedule", "fire", "wipes")).Code);
        (code, said) = await Helix(here, null, "schedule", "fire", "wipes", "--confirm-environment", "production");
        Assert.True(code == 4, said);
    }

    [Fact]
    public async Task A_gate_that_is_still_to_come_is_shown_and_approved_from_another_machine_when_what_it_shows_is_known()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("two", """
            steps:
              - { id: first, uses: approval, with: { message: "Look?", approvers: [bob] } }
              - { id: look, uses: command.run, effect: reads, with: { argv: [echo, seen], outputs: { text: {} } } }
              - { id: later, uses: approval, with: { message: "Will the customer be told?", approvers: [bob] } }
              - { id: unknown, uses: approval, with: { message: "Is {{ steps.look.text }} enough?", approvers: [bob] } }
            """);
        using var alice = await here.LogIn("alice", Role.Operator);
        var run = (await alice.Post("/runbooks/two/start", ("environment", "here"), ("mode", "live"))).Run;
        await here.Becomes(run, RunStatus.Waiting);
        here.Accounts.Add("bob", [new Grant(Role.Approver, "*")]);
        await Helix(here, here.Accounts.NewToken("bob", "cli", [Role.Approver], TimeSpan.FromDays(1)), "login");

        var (code, said) = await Helix(here, null, "approve", run, "unknown");
        Assert.Equal(2, code);
        Assert.Contains("asks nothing like 'unknown' now", said, StringComparison.Ordinal);
        (code, said) = await Helix(here, null, "approve", run, "later");
        Assert.True(code == 0, said);
        Assert.Contains("Will the customer be told?", said, StringComparison.Ordinal);
        Assert.Equal(0, (await Helix(here, null, "approve", run, "first")).Code);
        await Eventually.True(() => here.State(run).OpenQuestions.Select(q => q.Asked.Path).SequenceEqual(["unknown"]), "the second gate is passed");
        (code, said) = await Helix(here, null, "approve", run, "later");
        Assert.Equal(2, code);
    }

    [Fact]
    public async Task A_run_is_started_approved_and_read_from_another_machine()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("gate", Books.Gate);
        string Token(string account, Role role)
        {
            here.Accounts.Add(account, [new Grant(role, "*")]);
            return here.Accounts.NewToken(account, "cli", [role], TimeSpan.FromDays(1));
        }
        var (code, said) = await Helix(here, null, "runs");
        Assert.Equal(2, code);
        Assert.Contains("helix login --server", said, StringComparison.Ordinal);
        Assert.Equal(2, (await Helix(here, "helix_wrong", "login")).Code);
        Assert.Equal(0, (await Helix(here, Token("alice", Role.Operator), "login")).Code);
        var kept = Path.Combine(here.Folder, "config", "helix", "tokens.json");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(kept));

        (code, said) = await Helix(here, null, "run", "gate", "-e", "here", "--input", "word=remote");
        Assert.True(code == 4, said);
        Assert.Contains("Write remote?", said, StringComparison.Ordinal);
        var run = here.Store.Runs().Single().Run;
        (code, said) = await Helix(here, null, "approve", run, "--input", "ticket=X");
        Assert.Equal(2, code);
        Assert.Contains("role approver", said, StringComparison.Ordinal);

        await Helix(here, Token("bob", Role.Approver), "login");
        Assert.Equal(0, (await Helix(here, null, "approve", run, "--input", "ticket=INC-1")).Code);
        await here.Becomes(run, RunStatus.Succeeded);
        (code, said) = await Helix(here, null, "show", run, "--follow");
        Assert.Equal(0, code);
        Assert.Contains("Recovered after", said, StringComparison.Ordinal);
        Assert.Contains("looking at the world", (await Helix(here, null, "logs", run)).Said, StringComparison.Ordinal);
        Assert.Contains("is sound", (await Helix(here, null, "verify-record", run)).Said, StringComparison.Ordinal);
        Assert.Equal("bob", here.State(run).Questions.Values.Single().Answers.Single().By.Account);
    }
}
