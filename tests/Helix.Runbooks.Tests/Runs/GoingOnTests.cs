using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Postgres;

namespace Helix.Runbooks.Tests.Runs;

/// <summary>What a drive finds when one before it ended in the wrong moment.</summary>
public sealed class GoingOnTests(PostgresServer postgres)
{
    const string Two = "steps:\n  - { id: one, uses: world.write, with: { world: WORLD, line: one } }\n  - { id: two, uses: world.write, with: { world: WORLD, line: two } }\n";
    static readonly Driver Dead = DriverIdentity.Current with { StartTicks = DriverIdentity.Current.StartTicks - 1 };
    static readonly Driver OfAnotherBoot = DriverIdentity.Current with { BootId = "before the power cut" };

    [Theory]
    [InlineData("make", true)]
    [InlineData("other", false)]
    public async Task A_file_that_is_gone_is_made_again_only_for_a_step_that_names_it(string named, bool again)
    {
        using var h = new RunHarness();
        var made = Path.Combine(h.Folder, "made");
        var run = (await h.Run($$"""
            steps:
              - { id: make, uses: world.file, with: { path: "{{made}}" } }
              - { id: other, uses: world.file, with: { path: "{{made}}-too" } }
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
              - id: never
                when: "{{"{{"}} steps.make.status == 'failed' {{"}}"}}"
                steps:
                  - { id: late, uses: world.write, with: { world: WORLD, line: "{{"{{"}} steps.{{named}}.file {{"}}"}}" } }
            """)).State.Run;
        File.Delete(made);
        Assert.True(h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = "go", Choice = "approve" }).Accepted);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
        Assert.Equal(again, File.Exists(made));
    }

    [Fact]
    public async Task A_file_that_only_steps_of_a_finished_loop_name_is_not_made_again()
    {
        using var h = new RunHarness();
        var made = Path.Combine(h.Folder, "made");
        var run = (await h.Run($$$"""
            steps:
              - { id: make, uses: world.file, with: { path: "{{{made}}}" } }
              - id: each
                forEach: [a, b]
                as: it
                steps:
                  - { id: use, uses: world.write, with: { world: WORLD, line: "{{ it }} {{ steps.make.file }}" } }
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
            """)).State.Run;
        File.Delete(made);
        Assert.True(h.Answer(run, RunHarness.Bob, "approve").Accepted);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
        Assert.False(File.Exists(made));
        Assert.Equal(2, h.Lines.Count);
    }

    [Fact]
    public async Task Of_the_files_of_a_loop_only_those_of_elements_that_go_on_are_made_again()
    {
        using var h = new RunHarness();
        var made = Path.Combine(h.Folder, "made-");
        var run = (await h.Run($$$"""
            steps:
              - id: each
                forEach: [a, b]
                as: it
                steps:
                  - { id: make, uses: world.file, with: { path: "{{{made}}}{{ it }}" } }
                  - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
                  - { id: use, uses: world.write, with: { world: WORLD, line: "{{ steps.make.file }}" } }
            """)).State.Run;
        Assert.True(h.Answer(run, RunHarness.Bob, "approve").Accepted);
        Assert.Equal(DriveEnd.Waiting, (await h.Drive(run)).End);
        File.Delete(made + "a");
        File.Delete(made + "b");
        Assert.True(h.Answer(run, RunHarness.Bob, "approve").Accepted);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
        Assert.Equal((false, true), (File.Exists(made + "a"), File.Exists(made + "b")));
        Assert.Equal([made + "a", made + "b"], h.Lines);
    }

    [Fact]
    public async Task What_is_made_again_has_what_it_was_made_from_made_again_before()
    {
        using var h = new RunHarness();
        var (made, copy) = (Path.Combine(h.Folder, "made"), Path.Combine(h.Folder, "copy"));
        var run = (await h.Run($$$"""
            steps:
              - { id: make, uses: world.file, with: { path: "{{{made}}}" } }
              - { id: copy, uses: command.run, effect: reads, with: { argv: [sh, -c, 'cp "$0" "$1" && echo "$1"', "{{ steps.make.file }}", "{{{copy}}}"], outputs: { file: { from: text } } } }
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
              - { id: use, uses: world.write, with: { world: WORLD, line: "{{ steps.copy.file }}" } }
            """)).State.Run;
        File.Delete(made);
        File.Delete(copy);
        Assert.True(h.Answer(run, RunHarness.Bob, "approve").Accepted);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
        Assert.Equal([copy], h.Lines);
        Assert.Equal("data", File.ReadAllText(copy));
    }

    [Fact]
    public async Task A_pinned_script_of_which_a_full_disk_left_half_is_written_anew()
    {
        using var h = new RunHarness();
        h.Write("script.sh", "echo first >>\"$1\"\necho second >>\"$1\"\n");
        var run = h.Start(h.Plan("steps:\n  - { id: gate, uses: approval, with: { message: go, approvers: [dba] } }\n  - { id: script, uses: shell.run, effect: changes, with: { file: script.sh, args: [WORLD] } }\n"));
        Assert.Equal(DriveEnd.Waiting, (await h.Drive(run)).End);
        var copy = Directory.EnumerateFiles(Path.Combine(h.Folder, "runs", run), "script.sh", SearchOption.AllDirectories).Single();
        await File.WriteAllTextAsync(copy, "echo first >>\"$1\"\n");
        h.Answer(run, RunHarness.Bob, "approve");
        Assert.Equal(Outcome.Succeeded, (await h.Drive(run)).State.Ended!.Outcome);
        Assert.Equal(["first", "second"], h.Lines);
    }

    [Fact]
    public async Task Ctrl_C_while_the_lease_of_another_is_waited_for_ends_the_wait_and_leaves_the_record_alone()
    {
        using var h = new RunHarness();
        var run = h.Start(h.Plan(Two));
        h.Engine.HandOn(run, "for another");
        h.Store.TryTake(run, OfAnotherBoot with { Host = "elsewhere" }, "resume");
        var before = h.Engine.State(run).LastSequence;
        using var interrupt = new CancellationTokenSource();
        var driving = h.Drive(run, interrupt: interrupt.Token);
        await interrupt.CancelAsync();
        var result = await driving;
        Assert.Equal((DriveEnd.Interrupted, 130, before), (result.End, result.ExitCode, h.Engine.State(run).LastSequence));
    }

    [Fact]
    public async Task Ctrl_C_in_the_pre_flight_suspends_the_run_and_the_next_drive_looks_again()
    {
        using var h = new RunHarness();
        Directory.CreateDirectory(Path.Combine(h.Folder, "shelf", "a"));
        var run = h.Start(h.Plan("inputs:\n  from: { type: backup, target: shelf, prefix: a/, default: latest }\n" + Two, $"  shelf: {{ kind: directory, path: {h.Folder}/shelf }}"));
        var first = await h.Drive(run, interrupt: new CancellationToken(canceled: true));
        Assert.Equal((DriveEnd.Interrupted, RunStatus.Suspended), (first.End, first.State.Status));
        Assert.Empty(first.State.Preflight);
        // There is no backup: had the first look counted, nobody would have asked for one.
        Assert.Contains("the pre-flight failed", (await h.Drive(run)).State.Ended!.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_step_that_stumbles_while_it_looks_what_it_did_does_not_know_it_and_people_are_asked()
    {
        using var h = new RunHarness();
        using var interrupt = new CancellationTokenSource();
        var run = h.Start(h.Plan("steps:\n  - { id: one, uses: world.write, with: { world: WORLD, line: one, takes: 1h, probeStumbles: true } }\n"));
        var driving = h.Drive(run, interrupt: interrupt.Token);
        await Eventually.True(() => h.Engine.State(run).Step("one")?.Status == StepStatus.Running, "it runs");
        await interrupt.CancelAsync();
        Assert.Equal(DriveEnd.Interrupted, (await driving).End);
        var next = await h.Drive(run);
        Assert.Equal((DriveEnd.Waiting, QuestionKind.InDoubt), (next.End, next.State.OpenQuestions.Single().Asked.Kind));
        Assert.Contains("what is there is no line", next.State.Step("one")!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_step_did_is_done_although_its_file_cannot_be_read() =>
        Assert.Empty(await OutputFiles.Of(new() { ["file"] = "/proc/self/mem" }, CancellationToken.None));

    [Fact]
    public async Task A_run_whose_last_driver_died_before_it_gave_the_lease_back_can_be_reopened()
    {
        using var h = new RunHarness();
        var run = h.Start(h.Plan(Two));
        Assert.Equal(DriveEnd.Ended, (await h.Drive(run)).End);
        Assert.NotNull(h.Store.TryTake(run, Dead, "reopen").Taken);
        h.Engine.Reopen(run, RunHarness.Bob, "two", "once more", []);
        Assert.Equal(Outcome.Succeeded, (await h.Drive(run)).State.Ended!.Outcome);
        Assert.Equal(["one", "two", "two"], h.Lines);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_driver_of_another_boot_is_gone_unless_the_store_is_shared_and_it_may_be_a_machine_of_the_same_name(bool shared)
    {
        using var h = new RunHarness(store: shared ? postgres.Store() : null);
        var run = h.Start(h.Plan(Two));
        await h.Drive(run);
        h.Store.TryTake(run, OfAnotherBoot, "reopen");
        void Reopen() => h.Engine.Reopen(run, RunHarness.Bob, "two", "once more", []);
        if (shared)
            Assert.Throws<HeldException>(Reopen);
        else
            Reopen();
    }
}
