using System.Security.Cryptography;
using Helix.Runbooks.Steps;
using Helix.Steps.Neo4j;

namespace Helix.Runbooks.Tests.Neo4j;

/// <summary>Known ways to lose a graph by its admin tool, on stubs of 4.4 and 5.25.</summary>
public sealed class AdminRowsTests
{
    [Theory]
    [InlineData("4.4.38", ArchiveWay.Stream, "dump --database=neo4j --to=-", "load --from=- --database=neo4j --force")]
    [InlineData("4.4.38", ArchiveWay.File, "dump --database=neo4j --to=data/", "load --from=data/")]
    [InlineData("5.25.1", ArchiveWay.Stream, "database dump neo4j --to-stdout", "database load neo4j --from-stdin --overwrite-destination=true")]
    [InlineData("5.25.1", ArchiveWay.File, "database dump neo4j --to-path=data/", "database load neo4j --from-path=data/")]
    public async Task NEO_01_the_stub_of_each_version_is_called_in_its_own_form(string version, ArchiveWay way, string dump, string load)
    {
        await using var server = await PosedNeo4j.Start(version);

        var dumped = await server.Dump(way);
        server.Hold(3);
        var loaded = await server.Host.Run(new Neo4jLoad(), new() { Target = "neo4j", From = dumped.File, Counts = dumped.Counts, Way = way });

        Assert.StartsWith("--version ", server.Calls[0]);
        Assert.StartsWith(dump, server.Calls[1]);
        Assert.StartsWith(load, server.Calls[^1]);
        Assert.Equal(30, loaded.Counts["nodes"]);
        Assert.Equal(20, loaded.Counts["label:Art`ifact"]);
        Assert.Equal(version, dumped.ServerVersion);
        Assert.Equal([Path.GetFileName(loaded.SafetyCopy!)], server.LeftBeside);
    }

    [Fact]
    public async Task NEO_01_a_refused_call_to_the_stub_fails_the_dump_and_the_server_runs_again()
    {
        await using var server = await PosedNeo4j.Start();
        server.Odd = "lies-about-version";

        var e = await server.Host.Fails(FailureClass.InvalidData, new Neo4jDump(), new() { Target = "neo4j", To = "work/neo4j.dump" });

        Assert.Contains("refuses the call 'dump'", e.Message);
        Assert.Contains("exit code 2", e.Message);
        Assert.False(File.Exists(Path.Combine(server.Host.Work, "neo4j.dump")));
        Assert.Empty(server.Host.Left);
        Assert.Equal(30, await server.Nodes());
    }

    [Fact]
    public async Task NEO_03_in_use_names_both_causes_and_is_not_tried_again_on_the_stub()
    {
        await using var server = await PosedNeo4j.Start();
        server.Odd = "says-in-use";

        var e = await server.Host.Fails(FailureClass.Conflict, new Neo4jDump(), new() { Target = "neo4j", To = "work/neo4j.dump" });

        Assert.Contains("neo4j is stopped", e.Message);
        Assert.Matches(@"account of the tool \(uid \d+\)", e.Message);
        Assert.Matches(@"databases/neo4j belongs to uid \d+, gid \d+, mode \d+", e.Message);
        Assert.Single(server.Calls, c => c.Contains("dump", StringComparison.Ordinal));
        Assert.Equal(30, await server.Nodes());
    }

    [Fact]
    public async Task NEO_05_an_archive_of_any_name_is_staged_under_the_one_that_the_stub_looks_for()
    {
        await using var server = await PosedNeo4j.Start();
        var dumped = await server.Dump();
        var named = Path.Combine(server.Host.Work, "neo4j-20260301T0200.dump");
        File.Move(dumped.File, named);
        server.Hold(2);

        var loaded = await server.Host.Run(new Neo4jLoad(), new() { Target = "neo4j", From = named, Counts = dumped.Counts, Way = ArchiveWay.File, SkipSafetyCopy = true });

        Assert.Equal(dumped.Sha256, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(named))));
        Assert.Equal(30, loaded.Counts["nodes"]);
        Assert.Empty(server.LeftBeside);
    }

    [Fact]
    public async Task NEO_06_another_database_on_a_community_stub_is_refused_before_anything_is_stopped()
    {
        await using var server = await PosedNeo4j.Start();
        var dumped = await server.Dump();
        var pid = server.Pid;
        var options = new Neo4jLoadOptions { Target = "neo4j", From = dumped.File, Database = "movies" };

        var planned = await Assert.ThrowsAsync<RunbookException>(() => server.Host.Plan(new Neo4jLoad(), options));
        var e = await Assert.ThrowsAsync<RunbookException>(() => server.Host.Run(new Neo4jLoad(), options));

        Assert.Contains("serves one database", e.Message);
        Assert.Equal(e.Message, planned.Message);
        Assert.Contains("'neo4j'", e.Hint);
        Assert.Equal(pid, server.Pid);
    }

    [Fact]
    public async Task NEO_09_a_shortened_archive_is_refused_while_the_stub_runs_on()
    {
        await using var server = await PosedNeo4j.Start();
        var dumped = await server.Dump();
        var whole = File.ReadAllBytes(dumped.File);
        var pid = server.Pid;

        foreach (var (name, bytes) in new[] { ("cut", whole[..^100]), ("cut early", whole[..60]), ("flipped", [.. whole[..80], (byte)(whole[80] ^ 255), .. whole[81..]]), ("other", [1, 2, 3, 4, 5]) })
        {
            var file = server.Host.Write($"{name}.dump", bytes);
            await server.Host.Fails(FailureClass.InvalidData, new Neo4jLoad(), new() { Target = "neo4j", From = file });
        }

        Assert.Equal(pid, server.Pid);
        Assert.DoesNotContain(server.Host.EverLeft, r => r.Kind == ResidueKind.SafetyCopy);
        Assert.Equal(30, await server.Nodes());
    }

    [Fact]
    public async Task NEO_11_memory_reaches_the_stub_by_its_own_variable_and_too_little_is_called_so()
    {
        await using var server = await PosedNeo4j.Start();
        var options = new Neo4jDumpOptions { Target = "neo4j", To = "work/neo4j.dump", Memory = new(2L << 30) };
        await server.Host.Run(new Neo4jDump(), options);
        Assert.EndsWith("--to-stdout HEAP_SIZE=2048m", server.Calls[^1]);

        foreach (var odd in new[] { "out-of-memory", "killed" })
        {
            server.Odd = odd;
            var e = await server.Host.Fails(FailureClass.Conflict, new Neo4jDump(), options with { To = $"work/{odd}.dump" });
            Assert.Contains("ran out of memory with HEAP_SIZE=2048m", e.Message);
        }
        Assert.Equal(30, await server.Nodes());
    }
}
