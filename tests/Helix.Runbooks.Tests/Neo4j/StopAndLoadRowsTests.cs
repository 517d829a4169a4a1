using Helix.Runbooks.Steps;
using Helix.Steps.Neo4j;
using Helix.Steps.Targets;

namespace Helix.Runbooks.Tests.Neo4j;

/// <summary>Known ways to lose a graph by stopping and loading it, on stubs.</summary>
public sealed class StopAndLoadRowsTests
{
    [Fact]
    public async Task NEO_07_a_stub_that_had_to_be_killed_is_not_dumped_unless_that_is_wanted()
    {
        await using var server = await PosedNeo4j.Start();
        server.Odd = "never-ends";
        await server.Target.Service.Stop(server.Host.Context(), Hang.Limit);
        await server.Run();
        var options = new Neo4jDumpOptions { Target = "neo4j", To = "work/neo4j.dump", Grace = new(TimeSpan.FromMilliseconds(300)) };

        var e = await server.Host.Fails(FailureClass.Conflict, new Neo4jDump(), options);

        Assert.Contains("exit code 137", e.Message);
        Assert.DoesNotContain("could not be started again", e.Message);
        Assert.DoesNotContain(server.Calls, c => c.Contains("dump", StringComparison.Ordinal));
        Assert.Equal(30, await server.Nodes());
        File.Delete(Path.Combine(server.Folder, "server.pid"));
        server.Odd = "never-ends-and-leaves-no-lock";
        Assert.Equal(30, (await server.Host.Run(new Neo4jDump(), options with { EvenIfKilled = true })).Counts["nodes"]);
    }

    [Fact]
    public async Task NEO_13_exit_code_143_of_the_stub_is_a_clean_stop()
    {
        await using var server = await PosedNeo4j.Start();
        var stopped = await server.Host.Run(new TargetStop(), new() { Targets = ["neo4j"] });
        Assert.Equal(143, stopped.ExitCodes["neo4j"]);
        Assert.Empty(stopped.Killed);

        // It was down when the dump began, so it stays down.
        var dumped = await server.Dump();
        Assert.Empty(dumped.Counts);
        Assert.Null(server.Pid);
        await server.Run();
        Assert.Equal(30, (await server.Dump()).Counts["nodes"]);
    }

    [Fact]
    public async Task NEO_08_a_load_into_the_stub_that_says_it_worked_and_is_empty_fails_and_is_taken_back()
    {
        await using var server = await PosedNeo4j.Start();
        var dumped = await server.Dump();
        server.Hold(7);
        server.Odd = "empty-load";

        var e = await server.Host.Fails(FailureClass.InvalidData, new Neo4jLoad(), new() { Target = "neo4j", From = dumped.File, Counts = dumped.Counts });

        Assert.Contains("0 nodes instead of 30", e.Message);
        Assert.Equal(21, await server.Nodes());
        Assert.Empty(server.LeftBeside);
        Assert.Empty(server.Host.Left);

        // Where nobody gave counts the load passes, and the check after it does not.
        await server.Host.Run(new Neo4jLoad(), new() { Target = "neo4j", From = dumped.File });
        var empty = await server.Host.Fails(FailureClass.InvalidData, new Neo4jVerify(), new() { Target = "neo4j" });
        Assert.Contains("no nodes at all", empty.Message);
    }

    [Fact]
    public async Task NEO_15_a_half_done_load_into_the_stub_leaves_the_old_store_in_use()
    {
        await using var server = await PosedNeo4j.Start();
        var dumped = await server.Dump();
        server.Hold(7);
        server.Odd = "half-load";

        var e = await server.Host.Fails(FailureClass.InvalidData, new Neo4jLoad(), new() { Target = "neo4j", From = dumped.File, Counts = dumped.Counts });

        Assert.Contains("unexpected end of stream", e.Message);
        Assert.Equal(21, await server.Nodes());
        Assert.Empty(server.Host.Left);
    }

    [Fact]
    public async Task NEO_15_a_stub_that_does_not_answer_on_its_old_store_keeps_that_store_through_the_next_attempt()
    {
        await using var server = await PosedNeo4j.Start();
        var dumped = await server.Dump();
        server.Hold(7);
        server.Odd = "half-load-and-no-answer";
        var options = new Neo4jLoadOptions { Target = "neo4j", From = dumped.File, Counts = dumped.Counts };

        await server.Host.Fails(FailureClass.InvalidData, new Neo4jLoad(), options with { ReadyWithin = new(TimeSpan.FromMilliseconds(300)) });
        Assert.Contains(server.Host.Logged, l => l.Contains("could not be put back", StringComparison.Ordinal));
        Assert.Equal(21, StubGraph.Read(server.Store).Nodes);

        server.Odd = "";
        var loaded = await server.Host.Run(new Neo4jLoad(), options, attempt: 2);

        Assert.Equal(30, await server.Nodes());
        Assert.Equal(21, server.NodesIn(loaded.SafetyCopy!));
    }

    [Fact]
    public async Task NEO_15_a_stub_that_does_not_start_at_once_on_its_old_store_is_started_again()
    {
        await using var server = await PosedNeo4j.Start();
        var dumped = await server.Dump();
        server.Hold(7);
        server.Odd = "half-load-and-fails-twice-to-start";

        await server.Host.Fails(FailureClass.InvalidData, new Neo4jLoad(), new() { Target = "neo4j", From = dumped.File });

        Assert.Equal(21, await server.Nodes());
        Assert.Empty(server.Host.Left);
    }

    [Fact]
    public async Task NEO_07_a_stub_that_does_not_start_at_once_after_its_dump_is_started_again_and_each_try_is_logged()
    {
        await using var server = await PosedNeo4j.Start();
        server.Odd = "fails-twice-to-start";

        // The start after the dump is the first, the one after that failure the second.
        var e = await server.Host.Fails(FailureClass.Transient, new Neo4jDump(), new() { Target = "neo4j", To = "work/neo4j.dump" });

        Assert.DoesNotContain("could not be started again", e.Message);
        Assert.Equal(30, await server.Nodes());
        Assert.Empty(server.Host.Left);
        Assert.Single(server.Host.Logged, l => l.Contains("The start is tried again in 1s", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public async Task NEO_15_a_putting_back_in_the_stub_that_died_with_the_engine_loses_no_store(bool kept, bool moved)
    {
        await using var server = await PosedNeo4j.Start();
        var dumped = await server.Dump();
        server.Hold(7);
        server.Odd = "half-load";
        var options = new Neo4jLoadOptions { Target = "neo4j", From = dumped.File, Counts = dumped.Counts };
        await server.DiesAt(() => server.Host.Run(new Neo4jLoad(), options), p => p.Stage == LoadStage.Begun && p.Kept == kept, after: LoadStage.Loading);
        if (moved && kept)
            await new StoreFolder(server.Target, "neo4j", server.Host.Context()) { Round = LoadProgress.Of(server.Host.Context())!.Round }.PutBack(cutOff: false);

        // The next attempt ends as the first one did, and puts back what that one left.
        await server.Host.Fails(FailureClass.InvalidData, new Neo4jLoad(), options);
        Assert.Equal(21, await server.Nodes());
        server.Odd = "";
        var loaded = await server.Host.Run(new Neo4jLoad(), options, attempt: 3);

        Assert.Equal(30, await server.Nodes());
        Assert.Equal(21, server.NodesIn(loaded.SafetyCopy!));
    }

    [Fact]
    public async Task NEO_15_a_store_that_was_set_aside_in_part_comes_back_before_the_stub_starts_again()
    {
        await using var server = await PosedNeo4j.Start();
        var dumped = await server.Dump();
        server.Hold(7);
        // The first move is done and breaks off after it; all later ones are the system's own.
        Shim(server, "mv", "/bin/mv \"$@\" || exit 1\n[ -e moved ] || { touch moved; echo 'I/O error' >&2; exit 1; }");

        await server.Host.Fails(FailureClass.Conflict, new Neo4jLoad(), new() { Target = "neo4j", From = dumped.File });

        Assert.True(File.Exists(Path.Combine(server.Folder, "moved")));
        Assert.Equal(21, await server.Nodes());
        Assert.Empty(server.LeftBeside);
        Assert.Empty(server.Host.Left);
    }

    [Fact]
    public async Task A_second_round_of_a_load_into_the_stub_keeps_what_is_there_then_beside_what_the_first_one_kept()
    {
        await using var server = await PosedNeo4j.Start();
        var dumped = await server.Dump();
        var options = new Neo4jLoadOptions { Target = "neo4j", From = dumped.File };
        server.Hold(7);
        var first = await server.Host.Run(new Neo4jLoad(), options);
        // A round that begins anew finds nothing saved.
        server.Hold(9);

        var second = await server.Host.Run(new Neo4jLoad(), options);

        Assert.Equal(21, server.NodesIn(first.SafetyCopy!));
        Assert.Equal(27, server.NodesIn(second.SafetyCopy!));
        Assert.Equal(30, await server.Nodes());
    }

    /// <summary>A command beside the server that has a bad habit.</summary>
    static void Shim(PosedNeo4j server, string name, string script)
    {
        var shims = Directory.CreateDirectory(Path.Combine(server.Folder, "shims")).FullName;
        OldNeo4j.Script(shims, name, script);
        server.Path = $"{shims}:{Environment.GetEnvironmentVariable("PATH")}";
    }

    [Fact]
    public async Task NEO_15_too_little_room_is_said_before_the_stub_is_stopped()
    {
        await using var server = await PosedNeo4j.Start();
        var dumped = await server.Dump();
        var pid = server.Pid;
        Shim(server, "df", "echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'\necho '/dev/sda 100 99 0 99% /data'");

        var e = await server.Host.Fails(FailureClass.Conflict, new Neo4jLoad(), new() { Target = "neo4j", From = dumped.File });

        Assert.Contains("0 B free", e.Message);
        Assert.Equal(pid, server.Pid);
    }

    [Theory]
    [InlineData(LoadStage.Begun)]
    [InlineData(LoadStage.Loading)]
    [InlineData(LoadStage.Loaded)]
    public async Task A_load_into_the_stub_that_died_with_the_engine_goes_on_from_there(object stage)
    {
        await using var server = await PosedNeo4j.Start();
        var dumped = await server.Dump();
        server.Hold(7);
        var options = new Neo4jLoadOptions { Target = "neo4j", From = dumped.File, Counts = dumped.Counts };
        await server.DiesAt(() => server.Host.Run(new Neo4jLoad(), options), p => p.Stage == (LoadStage)stage);

        var probe = await server.Host.Probe(new Neo4jLoad(), options);
        Assert.Equal(ProbeVerdict.NotDone, probe.Verdict);
        var loaded = await server.Host.Run(new Neo4jLoad(), options, attempt: 2);

        Assert.Equal(30, loaded.Counts["nodes"]);
        Assert.Equal(7 * 3, server.NodesIn(loaded.SafetyCopy!));
        Assert.Equal(ProbeVerdict.Done, (await server.Host.Probe(new Neo4jLoad(), options)).Verdict);
    }
}
