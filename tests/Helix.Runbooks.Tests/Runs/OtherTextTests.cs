using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Faults;

namespace Helix.Runbooks.Tests.Runs;

/// <summary>A run goes on with another text of its runbook: who drives it, and whose text it is.</summary>
public sealed class OtherTextTests
{
    const string Book = """
        steps:
          - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"], authorMayApprove: false } }
          - { id: one, uses: world.write, with: { world: WORLD, line: one } }
        """;

    static readonly Person Carol = new("carol", IdentityStrength.Os, "test");
    static readonly Driver Elsewhere = new("elsewhere", "boot", 7, 1, "alice");

    static Plan Edited(RunHarness h) => h.Plan(Book.Replace("line: one", "line: changed", StringComparison.Ordinal));

    [Fact]
    public async Task A_text_is_not_exchanged_under_a_driver_that_lives_and_goes_on_with_the_old_one()
    {
        using var scene = new Scene(Book);
        using var session = scene.Open(settings: new EngineSettings { DataFolder = scene.Folder, Look = TimeSpan.FromMilliseconds(5), Heartbeat = TimeSpan.FromMilliseconds(20) });
        var run = session.Start();
        var driving = session.Engine.Drive(run, new DriveSettings { StayWhileWaiting = true });
        await Eventually.True(() => session.State.OpenQuestions.Any(), "it waits");
        scene.Write("book.yaml", File.ReadAllText(scene.Book).Replace("line: one", "line: changed", StringComparison.Ordinal));
        using var other = scene.Open(settings: new EngineSettings { DataFolder = scene.Folder, LeaseExpires = TimeSpan.FromMinutes(1) });
        var refused = await Assert.ThrowsAsync<HeldException>(() => other.Engine.TakeChanges(run, RunHarness.Bob));
        Assert.Contains($"Run {run} is driven by process", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"helix handover {run}", refused.Hint, StringComparison.Ordinal);
        session.Answer();
        Assert.Equal(0, (await driving).ExitCode);
        Assert.Equal(["one"], scene.Lines);
        Assert.DoesNotContain(session.Store.Read(run), e => e.Event is RunbookReplaced);
    }

    [Fact]
    public async Task A_run_that_is_not_driven_waits_for_people_after_the_exchange_as_it_did_before()
    {
        using var h = new RunHarness();
        var run = (await h.Run(Book)).State.Run;
        Edited(h);
        await h.Engine.TakeChanges(run, RunHarness.Alice);
        var state = h.Engine.State(run);
        Assert.Equal((RunStatus.Waiting, RunSuspended.ForPeople), (state.Status, state.SuspendedBecause));
        Assert.True(h.Store.ReadLease(run)!.Released);
        Assert.True(h.Answer(run, RunHarness.Bob, "approve").Accepted);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
        Assert.Equal(["changed"], h.Lines);
    }

    [Fact]
    public async Task Who_waits_for_the_lease_goes_on_with_the_text_that_was_taken_meanwhile()
    {
        using var h = new RunHarness();
        var run = (await h.Run(Book)).State.Run;
        Assert.True(h.Answer(run, RunHarness.Bob, "approve").Accepted);
        var theirs = h.Store.TryTake(run, Elsewhere, "take-changes").Taken!;
        var driving = h.Drive(run);
        var plan = Edited(h);
        foreach (var file in plan.Pinned.Values)
            h.Store.Keep(file.Bytes);
        h.Store.Append(run, RunHarness.Alice, _ => [new RunbookReplaced(plan.Hash, plan.Pinned.ToDictionary(p => p.Key, p => p.Value.Sha256), "line: changed")]);
        h.Store.Release(theirs);
        Assert.Equal(0, (await driving).ExitCode);
        Assert.Equal(["changed"], h.Lines);
    }

    [Fact]
    public async Task The_author_of_the_text_that_the_run_follows_now_may_not_approve_it_and_the_one_before_may()
    {
        using var h = new RunHarness();
        Edited(h);
        await Git(h, "init", "--quiet");
        var plan = h.Plan(Book);
        await Commit(h, "bob");
        var run = h.Start(plan);
        await h.Drive(run);
        Assert.Contains("bob is the last author of the runbook", h.Answer(run, RunHarness.Bob, "approve").Message, StringComparison.Ordinal);

        Edited(h);
        await Commit(h, "carol");
        await h.Engine.TakeChanges(run, RunHarness.Alice);

        Assert.StartsWith("carol <", h.Engine.State(run).GitAuthor, StringComparison.Ordinal);
        Assert.Contains("carol is the last author of the runbook", h.Answer(run, Carol, "approve").Message, StringComparison.Ordinal);
        Assert.True(h.Answer(run, RunHarness.Bob, "approve").Accepted);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
        Assert.Equal(["changed"], h.Lines);
    }

    static async Task Commit(RunHarness h, string author)
    {
        await Git(h, "add", "book.yaml");
        await Git(h, "-c", $"user.name={author}", "-c", $"user.email={author}@example.com", "commit", "--quiet", "--message", "a test");
    }

    static Task<ToolResult> Git(RunHarness h, params string[] arguments) =>
        new Tool(new ProcessLauncher(new ProcessSettings { Masker = new Masker() }), "git", CancellationToken.None) { Arguments = arguments, WorkingDirectory = h.Folder }.Quietly().Run();
}
