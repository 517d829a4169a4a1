using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Tests.Runs;

namespace Helix.Runbooks.Tests.Faults;

/// <summary>Files that are edited while a run goes on, and runs that are tried again.</summary>
public sealed class EditedFilesTests
{
    const string Book = """
        steps:
          - { id: one, uses: world.write, with: { world: WORLD, line: one } }
          - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
          - { id: script, uses: world.child, with: { world: WORLD, line: script, file: work.sh } }
          - { id: sub, uses: runbook, with: { file: sub.yaml } }
        """;

    static Scene New()
    {
        var scene = new Scene(Book);
        scene.Write("work.sh", $"echo as it was >> {scene.World}\n");
        scene.Write("sub.yaml", $"apiVersion: helix.runbooks/v1\nname: sub\ntitle: A part\nsteps:\n  - {{ id: part, uses: world.write, with: {{ world: {scene.World}, line: part }} }}\n");
        return scene;
    }

    static void Edit(Scene scene)
    {
        var text = File.ReadAllText(scene.Book);
        scene.Write("book.yaml", text.Replace("  - { id: go,", $"  - {{ id: inserted, uses: world.write, with: {{ world: {scene.World}, line: inserted }} }}\n  - {{ id: go,"));
        scene.Write("work.sh", $"echo edited >> {scene.World}\n");
        scene.Write("sub.yaml", File.ReadAllText(Path.Combine(scene.Folder, "sub.yaml")).Replace("line: part", "line: edited part"));
        File.Delete(scene.Environment);
    }

    [Fact]
    public async Task WFE_10_PM_02_files_that_are_edited_during_a_run_do_not_change_it()
    {
        using var scene = New();
        using (var driver = scene.Start())
            Assert.Equal(ExitCodes.Waiting, (await driver.End()).ExitCode);
        Edit(scene);
        using var session = scene.Open();
        Assert.Equal(Outcome.Succeeded, (await session.ToTheEnd()).Ended!.Outcome);
        Assert.Equal(["one", "as it was", "script", "part"], scene.Lines);
        Assert.Contains("+echo edited", session.Engine.Changes(session.Run!));
    }

    [Fact]
    public async Task PM_02_a_script_that_is_replaced_while_it_runs_goes_on_in_its_old_text()
    {
        using var scene = New();
        scene.Write("work.sh", $"cd {scene.Folder}; touch began\nwhile [ -d $PWD -a ! -e on ]; do sleep 0.05; done\necho as it was >> world\n");
        using var driver = scene.Start(null, "stay=yes");
        using var session = scene.Open();
        await Eventually.True(() =>
        {
            session.Answer();
            return File.Exists(Path.Combine(scene.Folder, "began"));
        }, "the script runs");
        scene.Write("work.sh", $"cd {scene.Folder}; touch began\nwhile [ -d $PWD -a ! -e no ]; do sleep 0.05; done\necho edited    >> world\n");
        scene.Write("on", "");
        Assert.Equal(0, (await driver.End()).ExitCode);
        Assert.Equal(["one", "as it was", "script", "part"], scene.Lines);
    }

    [Fact]
    public async Task PM_02_the_script_of_shell_run_is_the_one_of_the_start()
    {
        using var scene = new Scene("""
            steps:
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
              - { id: script, uses: shell.run, effect: changes, with: { file: work.sh, args: [WORLD] } }
            """);
        scene.Write("work.sh", "echo as it was >> $1\n");
        using var session = scene.Open();
        session.Start();
        Assert.Equal(ExitCodes.Waiting, (await session.Engine.Drive(session.Run!, new DriveSettings())).ExitCode);
        scene.Write("work.sh", "rm -rf $NOWHERE/; echo edited >> $1\n");
        Assert.Equal(Outcome.Succeeded, (await session.ToTheEnd()).Ended!.Outcome);
        Assert.Equal(["as it was"], scene.Lines);
    }

    [Fact]
    public async Task WFE_10_going_on_with_the_edited_text_is_an_act_with_the_difference_in_the_record()
    {
        using var scene = New();
        using (var driver = scene.Start())
            await driver.End();
        scene.Write("book.yaml", File.ReadAllText(scene.Book).Replace("  - { id: script,", $"  - {{ id: inserted, uses: world.write, with: {{ world: {scene.World}, line: inserted }} }}\n  - {{ id: script,"));
        using var session = scene.Open();
        await session.Engine.TakeChanges(session.Run!, RunHarness.Bob);
        await session.ToTheEnd();
        Assert.Equal(["one", "inserted", "as it was", "script", "part"], scene.Lines);
        Assert.Contains(session.State.Remarks, r => r.Kind == "runbook replaced" && r.Text.Contains("+  - { id: inserted"));
        Assert.Empty(Ending.Of(scene, session).Faults);
    }

    [Fact]
    public async Task WFE_03_a_failed_run_that_is_reopened_runs_the_failed_step_and_those_after_it_and_no_other()
    {
        using var scene = new Scene("""
            steps:
              - { id: one, uses: world.write, with: { world: WORLD, line: one } }
              - { id: two, uses: world.write, with: { world: WORLD, line: two, failFirst: 1, failure: conflict } }
              - { id: three, uses: world.write, with: { world: WORLD, line: three } }
            """);
        using (var driver = scene.Start())
            Assert.Equal(ExitCodes.Failed, (await driver.End()).ExitCode);
        Assert.Equal(["one"], scene.Lines);
        using var session = scene.Open();
        var preview = session.Engine.PreviewReopen(session.Run!, "two");
        Assert.Equal(["one"], preview.Kept);
        Assert.Equal(["two", "three"], preview.RunAgain);
        session.Engine.Reopen(session.Run!, RunHarness.Bob, "two", "it is mended", []);
        Assert.Equal(0, (await session.Engine.Drive(session.Run!, new DriveSettings())).ExitCode);
        Assert.Equal(["one", "two", "three"], scene.Lines);
        Assert.Equal([1, 2, 2], new[] { "one", "two", "three" }.Select(p => session.State.Step(p)!.Attempts.Single().Round));
    }
}
