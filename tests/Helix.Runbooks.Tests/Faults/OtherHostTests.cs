using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Faults;

/// <summary>The driver before was on a machine into which nobody can look from here.</summary>
public sealed class OtherHostTests
{
    const string Body = """
        steps:
          - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
          - parallel:
              - - { id: load, uses: world.destroy, with: { world: WORLD, target: thing } }
              - - { id: write, uses: world.write, with: { world: WORLD, line: written } }
        """;

    [Theory, InlineData(false), InlineData(true)]
    public async Task What_destroys_and_was_begun_there_is_asked_about_and_what_can_be_seen_is_looked_at(bool takenHereBefore)
    {
        using var scene = new Scene(Body);
        using var session = scene.Open();
        var run = session.Start();
        var there = session.Store.Take(run, new Driver("elsewhere", "boot", 7, 1, "alice"), "test", session.Store.ReadLease(run)!);
        session.Store.Append(there,
            new StepSucceeded("go", []) { Source = "by hand" },
            new StepStarted("load", 1, "world.destroy", new JsonObject { ["world"] = scene.World, ["target"] = "thing" }, [TargetEffect.Destroys("thing", "all of it")]),
            new StepStarted("write", 1, "world.write", new JsonObject { ["world"] = scene.World, ["line"] = "written" }, [TargetEffect.Changes(null)]));
        // A driver of this host took the run over, and died before it had looked.
        if (takenHereBefore)
            session.Store.Take(run, DriverIdentity.Current with { StartTicks = DriverIdentity.Current.StartTicks - 1 }, "takeover", session.Store.ReadLease(run)!);

        using var later = scene.Open();
        Assert.Equal(DriveEnd.Waiting, (await later.Engine.Drive(run, new DriveSettings { StoodStill = later.Store.ReadLease(run) })).End);
        Assert.Equal(["written"], scene.Lines);
        Assert.Equal((QuestionKind.InDoubt, "load"), later.State.OpenQuestions.Select(q => (q.Asked.Kind, q.Asked.Path)).Single());
        var looked = later.Store.Read(run).Select(e => e.Event).OfType<StepProbed>().Single(p => p.Path == "load");
        Assert.Contains("begun on elsewhere", looked.Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_runbook_that_needs_what_this_machine_has_not_is_neither_started_nor_resumed_here()
    {
        using var scene = new Scene("needs: { site: a }\nsteps:\n  - { id: write, uses: world.write, with: { world: WORLD, line: written } }\n");
        using var without = scene.Open();
        Assert.Contains("needs a machine with site=a, and this one has no labels", Assert.Throws<RunbookException>(without.Start).Message, StringComparison.Ordinal);
        Assert.Null(without.Run);
        using var with = scene.Open(settings: new EngineSettings { DataFolder = scene.Folder, Labels = NodeLabels.Parse(["site=a", "rack=7"]) });
        var run = with.Start();
        await Assert.ThrowsAsync<RunbookException>(() => without.Engine.Drive(run, new DriveSettings()));
        Assert.Equal(0, (await with.Engine.Drive(run, new DriveSettings())).ExitCode);
        Assert.Equal("a", with.State.Started.Needs["site"]);
        Assert.Throws<RunbookException>(() => NodeLabels.Parse(["site"]));
    }
}
