using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Steps.Processes;

namespace Helix.Runbooks.Tests.Faults;

/// <summary>What becomes of a child process when its engine is killed or interrupted.</summary>
public sealed class ChildTests
{
    /// <summary>Says in the world's folder when it is not alone, and ends when "go" is there.</summary>
    const string Alone = "cd $(dirname WORLD); echo $$ >> starts; mkdir alone || echo two >> beside; while [ -d $PWD -a ! -e go ]; do sleep 0.05; done; rmdir alone";

    static string Book(string script, string more = "") =>
        $"steps:\n  - {{ id: child, uses: world.child, with: {{ world: WORLD, line: child, script: \"{script}\"{more} }} }}\nfinally:\n  - {{ id: tidy, uses: world.write, with: {{ world: WORLD, line: tidy }} }}\n";

    static string[] Starts(Scene scene) => File.Exists(Path.Combine(scene.Folder, "starts")) ? File.ReadAllLines(Path.Combine(scene.Folder, "starts")) : [];
    static bool IsAlone(Scene scene) => !File.Exists(Path.Combine(scene.Folder, "beside"));

    [Fact]
    public async Task PRC_04_a_resume_waits_for_the_child_that_lives_on_and_starts_none_beside_it()
    {
        using var scene = new Scene(Book(Alone));
        using (var driver = scene.Start())
        {
            await Eventually.True(() => Starts(scene).Length == 1, "the child runs");
            driver.Kill();
            await driver.End();
        }
        using var session = scene.Open();
        var resuming = session.Engine.Drive(session.Run!, new DriveSettings());
        await Eventually.True(() => session.Store.Logs(session.Run!).Any(l => l.Text.Contains("still runs; waiting")), "it waits");
        Assert.Single(Starts(scene));
        scene.Write("go", "");
        Assert.Equal(0, (await resuming).ExitCode);
        Assert.True(IsAlone(scene));
        Assert.Equal(2, Starts(scene).Length);
        Assert.Equal(["child", "tidy"], scene.Lines);
        Assert.Contains(session.Store.Read(session.Run!), e => e.Event is StepProbed { Verdict: ProbeVerdict.NotDone });
    }

    [Fact]
    public async Task PRC_04_a_child_that_died_with_its_engine_is_found_gone()
    {
        using var scene = new Scene(Book(Alone));
        using (var driver = scene.Start())
        {
            await Eventually.True(() => Starts(scene).Length == 1, "the child runs");
            driver.Kill();
            await driver.End();
        }
        Signals.SendToGroup(int.Parse(Starts(scene)[0]), Signal.Kill);
        Directory.Delete(Path.Combine(scene.Folder, "alone"));
        scene.Write("go", "");
        using var session = scene.Open();
        Assert.Equal(0, (await session.Engine.Drive(session.Run!, new DriveSettings())).ExitCode);
        Assert.Equal(["child", "tidy"], scene.Lines);
    }

    [Theory]
    [InlineData("", 126)]
    [InlineData("\n", 0)]
    public async Task PRC_04_a_child_does_nothing_before_its_engine_that_knows_it_gives_the_word(string word, int exitCode)
    {
        using var scene = new Scene("steps: []");
        var start = new System.Diagnostics.ProcessStartInfo(Wrapper.File, Wrapper.Arguments("/usr/bin/touch", [scene.World], Nothing, waits: true)) { RedirectStandardInput = true };
        using var child = System.Diagnostics.Process.Start(start)!;
        Assert.False(File.Exists(scene.World));
        await child.StandardInput.WriteAsync(word);
        child.StandardInput.Close(); // as when its engine dies
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal((exitCode, exitCode == 0), (child.ExitCode, File.Exists(scene.World)));
    }

    static readonly Dictionary<string, string?> Nothing = [];

    [Fact]
    public async Task PRC_04_an_engine_that_lost_the_run_while_a_child_was_made_does_not_let_it_go()
    {
        using var scene = new Scene("steps: []");
        var asked = 0;
        var settings = new ProcessSettings
        {
            Masker = new Masker(),
            PidFolder = scene.Folder,
            BeforeEffect = () =>
            {
                if (++asked == 2)
                    throw new LeaseLostException("the-run", 1, 2);
            },
        };
        var tool = new Tool(new ProcessLauncher(settings), "touch", TestContext.Current.CancellationToken) { Arguments = [scene.World] };
        await Assert.ThrowsAsync<LeaseLostException>(tool.Run);
        Assert.False(File.Exists(scene.World));
    }

    [Theory]
    [InlineData(null, "unset")]
    [InlineData("", "")]
    [InlineData("de_DE.UTF-8", "de_DE.UTF-8")]
    public async Task A_child_sees_the_locale_that_it_was_given(string? given, string seen)
    {
        using var scene = new Scene("steps: []");
        var launcher = new ProcessLauncher(new ProcessSettings { Masker = new Masker(), PidFolder = scene.Folder });
        var tool = new Tool(launcher, "sh", TestContext.Current.CancellationToken) { Arguments = ["-c", "echo \"${LC_ALL-unset}\""] }.With("LC_ALL", given);
        Assert.Equal(seen + "\n", (await tool.Run()).Stdout);
    }

    [Fact]
    public async Task PRC_05_Ctrl_C_once_interrupts_the_child_and_suspends_the_run()
    {
        using var scene = new Scene(Book("cd $(dirname WORLD); test -e go && exit 0; trap 'echo int >> got; exit 130' INT; echo $$ >> starts; while :; do sleep 0.05; done", ", grace: 5m"));
        using var driver = scene.Start();
        await Eventually.True(() => Starts(scene).Length == 1, "the child runs");
        driver.Interrupt();
        var (exit, said, _) = await driver.End();
        Assert.Equal((ExitCodes.Interrupted, true), (exit, said.Contains("Interrupted")));
        Assert.Equal("int\n", await File.ReadAllTextAsync(Path.Combine(scene.Folder, "got"), TestContext.Current.CancellationToken));
        await Eventually.True(() => !GroupLives(scene), "the group is gone");
        using var session = scene.Open();
        Assert.Equal((RunStatus.Suspended, StepStatus.InDoubt), (session.State.Status, session.State.StatusOf("child")));
        scene.Write("go", "");
        Assert.Equal(0, (await session.Engine.Drive(session.Run!, new DriveSettings())).ExitCode);
        Assert.Equal(["child", "tidy"], scene.Lines);
        Assert.Empty(Ending.Of(scene, session).Faults);
    }

    [Fact]
    public async Task PRC_05_Ctrl_C_twice_kills_a_child_that_does_not_listen()
    {
        using var scene = new Scene(Book("cd $(dirname WORLD); test -e go && exit 0; trap 'echo int >> got' INT; trap '' TERM; (trap '' INT TERM; sleep 60) & echo $$ >> starts; while :; do sleep 0.05; done", ", grace: 5m"));
        using var driver = scene.Start();
        await Eventually.True(() => Starts(scene).Length == 1, "the child runs");
        driver.Interrupt();
        await Eventually.True(() => File.Exists(Path.Combine(scene.Folder, "got")), "the child is asked");
        Assert.False(driver.HasExited);
        driver.Interrupt();
        Assert.Equal(ExitCodes.Interrupted, (await driver.End()).ExitCode);
        await Eventually.True(() => !GroupLives(scene), "the group is gone");
        scene.Write("go", "");
        using var session = scene.Open();
        Assert.Equal(0, (await session.Engine.Drive(session.Run!, new DriveSettings())).ExitCode);
        Assert.Equal(["child", "tidy"], scene.Lines);
    }

    static bool GroupLives(Scene scene) => ProcessStat.All().Any(p => p.Group == int.Parse(Starts(scene)[0]) && !p.Ended);
}
