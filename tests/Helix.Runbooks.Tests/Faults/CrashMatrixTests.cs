using System.Collections.Concurrent;
using Helix.Runbooks.Journal;

namespace Helix.Runbooks.Tests.Faults;

/// <summary>A driver is killed at every event of its record and around every effect; another goes on.</summary>
public sealed class CrashMatrixTests
{
    const string Sub = """
        apiVersion: helix.runbooks/v1
        name: sub
        title: A part
        inputs:
          word: { type: string, description: A word. }
        steps:
          - { id: one, uses: world.write, with: { world: WORLD, line: "sub {{ inputs.word }}" } }
          - { id: two, uses: world.write, with: { world: WORLD, line: "after {{ steps.one.line }}" } }
        outputs:
          said: "{{ steps.two.line }}"
        finally:
          - { id: end, uses: world.write, with: { world: WORLD, line: sub end } }
        """;

    const string Body = """
        steps:
          - { id: first, uses: world.write, with: { world: WORLD, line: first, target: thing } }
          - id: sides
            parallel:
              - - { id: left, uses: world.write, with: { world: WORLD, line: left } }
                - { id: left_two, uses: world.write, with: { world: WORLD, line: "after {{ steps.left.line }}" } }
              - - { id: right, uses: world.write, with: { world: WORLD, line: right, failFirst: 1 }, retry: { attempts: 3, delay: 5ms } }
              - - { id: early, uses: approval, with: { message: "Early?", approvers: ["group:dba"] } }
                - { id: silent, uses: world.write, with: { world: WORLD, line: silent, canTell: false } }
          - id: each
            forEach: ["x", "y", "z"]
            as: letter
            maxParallel: 2
            steps:
              - { id: copy, uses: world.write, with: { world: WORLD, line: "copy {{ letter }}" } }
          - id: part
            ifFails: continue
            steps:
              - { id: bad, uses: world.write, with: { world: WORLD, line: bad, failFirst: 99, failure: conflict } }
            rescue:
              - { id: rescued, uses: world.write, with: { world: WORLD, line: rescued } }
          - { id: pause, uses: wait, with: { for: 10ms } }
          - { id: never, uses: world.write, when: "{{ run.mode == 'drill' }}", with: { world: WORLD, line: never } }
          - { id: go, uses: approval, with: { message: "After {{ steps.first.line }}?", approvers: ["group:dba"], inputs: { why: { type: string, required: true } } } }
          - { id: load, uses: world.destroy, with: { world: WORLD, target: thing } }
          - { id: sub, uses: runbook, with: { file: sub.yaml, inputs: { word: "{{ steps.first.line }}" } } }
        outputs:
          all: "{{ steps.sub.said }}"
        finally:
          - { id: tidy, uses: world.write, with: { world: WORLD, line: tidy } }
        """;

    [Fact]
    public async Task A_run_that_is_killed_anywhere_ends_like_one_that_was_not()
    {
        var (undisturbed, failpoints) = await Undisturbed();
        var faults = new ConcurrentBag<string>();
        var unkilled = 0;
        await Parallel.ForEachAsync(failpoints, new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = TestContext.Current.CancellationToken }, async (failpoint, _) =>
        {
            using var scene = New();
            var (exit, words) = await KilledAt(scene, failpoint);
            if (exit is not (0 or DriverProcess.Killed))
                faults.Add($"{failpoint}: the driver ended with {exit}: {words}");
            if (exit == 0)
                Interlocked.Increment(ref unkilled);
            foreach (var fault in await Compare(scene, undisturbed))
                faults.Add($"{failpoint}: {fault}");
        });
        Assert.True(faults.IsEmpty, string.Join("\n", faults.Order()));
        // Some appends hold two events, so the last numbers of the list are never reached.
        Assert.InRange(unkilled, 0, 12);
        TestContext.Current.SendDiagnosticMessage($"{failpoints.Count} places, {unkilled} of them not reached");
    }

    static Scene New()
    {
        var scene = new Scene(Body);
        scene.Write("sub.yaml", Sub.Replace("WORLD", scene.World, StringComparison.Ordinal));
        return scene;
    }

    static Session Open(Scene scene) => new(scene, TimeProvider.System, null) { EarlyGate = "early" };

    static async Task<(string Ending, List<string> Failpoints)> Undisturbed()
    {
        using var scene = New();
        var (exit, words) = await KilledAt(scene, null);
        Assert.True(exit == 0, words);
        using var session = scene.Open();
        var ending = Ending.Of(scene, session);
        Assert.Empty(ending.Faults);
        var events = session.Store.Read(session.Run!).Where(e => e.Epoch > 0).Select(e => e.Event).ToList();
        var started = events.OfType<StepStarted>().Select(s => s.Path).Distinct();
        return (ending.Text,
        [
            // After one is before the next, but for what happens between: that is at the points.
            .. Enumerable.Range(1, events.Count - 2).Select(n => $"append:{n}:before"),
            $"append:{events.Count - 2}:after",
            .. started.SelectMany(p => (string[])[$"point:intent:{p}:1", $"point:effect:{p}:1"]),
        ]);
    }

    /// <summary>A child starts and drives the run while people answer.</summary>
    static async Task<(int ExitCode, string Words)> KilledAt(Scene scene, string? failpoint)
    {
        using var driver = scene.Start(failpoint, "stay=yes");
        using (var people = Open(scene))
            while (!driver.HasExited)
            {
                people.Answer();
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
            }
        var (exit, stdout, stderr) = await driver.End();
        return (exit, stdout + stderr);
    }

    static async Task<List<string>> Compare(Scene scene, string undisturbed)
    {
        using var session = Open(scene);
        try
        {
            await session.ToTheEnd();
        }
        catch (InvalidOperationException e)
        {
            return [e.Message];
        }
        var ending = Ending.Of(scene, session);
        return ending.Text == undisturbed ? [.. ending.Faults] : [.. ending.Faults, $"it ended differently:\n{ending.Text}\ninstead of\n{undisturbed}"];
    }
}
