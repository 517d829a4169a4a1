using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps.Processes;
using Helix.Runbooks.Tests.Runs;

namespace Helix.Runbooks.Tests.Faults;

/// <summary>A cancelled run leaves nothing running.</summary>
public sealed class CancelTests
{
    const string Body = """
        steps:
          - parallel:
              - - { id: a, uses: world.child, with: { world: WORLD, line: a, script: "cd $(dirname WORLD); echo $$ >> pids; sleep 60" } }
              - - { id: b, uses: world.child, with: { world: WORLD, line: b, script: "cd $(dirname WORLD); trap '' INT; echo $$ >> pids; while :; do sleep 0.05; done" } }
              - - { id: pause, uses: wait, with: { for: 1h } }
              - - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
                - { id: after, uses: world.write, with: { world: WORLD, line: after } }
              - - { id: again, uses: world.write, with: { world: WORLD, line: again, failFirst: 9 }, retry: { attempts: 9, delay: 1h, maxDelay: 1h } }
          - { id: last, uses: world.write, with: { world: WORLD, line: last } }
        rescue:
          - { id: saved, uses: world.write, with: { world: WORLD, line: saved } }
        finally:
          - { id: tidy, uses: world.write, with: { world: WORLD, line: tidy } }
        """;

    static readonly StepStatus[] Final = [StepStatus.Succeeded, StepStatus.Failed, StepStatus.Skipped, StepStatus.Cancelled];

    static int[] Pids(Scene scene) => File.Exists(Path.Combine(scene.Folder, "pids")) ? [.. File.ReadAllLines(Path.Combine(scene.Folder, "pids")).Select(int.Parse)] : [];

    static async Task UnderWay(Scene scene, Session session) =>
        await Eventually.True(() => Pids(scene).Length == 2 && session.State.OpenQuestions.Any() && session.State.StatusOf("again") == StepStatus.Retrying && session.State.StatusOf("pause") == StepStatus.Waiting, "all branches are under way");

    static async Task NothingIsLeft(Scene scene, Session session)
    {
        var state = session.State;
        Assert.Equal((Outcome.Cancelled, "not needed any more"), (state.Ended!.Outcome, state.Ended.Reason));
        Assert.All(state.Steps.Values, s => Assert.Contains(s.Status, Final));
        // What was killed ends when it has its turn on a processor.
        await Eventually.True(() => !ProcessStat.All().Any(p => Pids(scene).Contains(p.Group) && !p.Ended), "their processes are gone");
        Assert.Equal(["saved", "tidy"], scene.Lines);
        Assert.Empty(state.OpenQuestions);
        Assert.All(state.Spans, s => Assert.NotNull(s.End));
        Assert.Empty(Ending.Of(scene, session).Faults);
    }

    [Fact]
    public async Task WFE_11_cancel_in_parallel_ends_every_step_and_process_and_tidies_up()
    {
        using var scene = new Scene(Body);
        using var driver = scene.Start(null, "stay=yes");
        using var session = scene.Open();
        await Eventually.True(() => session.Run is not null, "it starts");
        await UnderWay(scene, session);
        session.Engine.Cancel(session.Run!, RunHarness.Bob, "not needed any more");
        Assert.Equal(ExitCodes.Cancelled, (await driver.End()).ExitCode);
        await NothingIsLeft(scene, session);
    }

    [Fact]
    public async Task WFE_11_a_run_whose_driver_died_can_be_cancelled_with_the_children_that_live_on()
    {
        using var scene = new Scene(Body);
        using var session = scene.Open();
        using (var driver = scene.Start(null, "stay=yes"))
        {
            await Eventually.True(() => session.Run is not null, "it starts");
            await UnderWay(scene, session);
            driver.Kill();
            await driver.End();
        }
        session.Engine.Cancel(session.Run!, RunHarness.Bob, "not needed any more");
        var result = await session.Engine.Drive(session.Run!, new DriveSettings()).WaitAsync(Hang.Limit, TimeProvider.System);
        Assert.Equal(ExitCodes.Cancelled, result.ExitCode);
        await NothingIsLeft(scene, session);
    }

    [Fact]
    public async Task WFE_11_cancel_at_an_approval_closes_its_question()
    {
        using var scene = new Scene("""
            steps:
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
              - { id: after, uses: world.write, with: { world: WORLD, line: after } }
            finally:
              - { id: tidy, uses: world.write, with: { world: WORLD, line: tidy } }
            """);
        using (var driver = scene.Start())
            Assert.Equal(ExitCodes.Waiting, (await driver.End()).ExitCode);
        using var session = scene.Open();
        session.Engine.Cancel(session.Run!, RunHarness.Bob, "not needed any more");
        Assert.Equal(ExitCodes.Cancelled, (await session.Engine.Drive(session.Run!, new DriveSettings())).ExitCode);
        Assert.Equal(["tidy"], scene.Lines);
        Assert.Empty(session.State.OpenQuestions);
        Assert.All(session.State.Steps.Values, s => Assert.Contains(s.Status, Final));
        Assert.False(session.Engine.Decide(session.Run!, RunHarness.Bob, new Decided { Question = "go", Choice = "approve" }).Accepted);
    }
}
