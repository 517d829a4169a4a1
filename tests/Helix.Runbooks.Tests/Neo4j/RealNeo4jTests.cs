using Helix.Runbooks.Steps;
using Helix.Steps.Neo4j;
using Helix.Steps.Targets;

namespace Helix.Runbooks.Tests.Neo4j;

/// <summary>The steps on a real server, of the only version that can be installed here.</summary>
public sealed class RealNeo4jTests
{
    [Fact]
    public async Task A_running_database_is_dumped_and_comes_back_with_the_counts_of_then()
    {
        await using var server = await OldNeo4j.Start();
        using var host = server.Host();
        await server.Query("CREATE CONSTRAINT ON (p:Persona) ASSERT p.id IS UNIQUE");
        await server.Fill(300);

        var dumped = await host.Run(new Neo4jDump(), new() { Target = "neo4j", To = "work/neo4j.dump" });

        Assert.Equal(600, dumped.Counts["nodes"]);
        Assert.Equal(300, dumped.Counts["type:OWNS"]);
        Assert.Equal(1, dumped.Counts["constraints"]);
        Assert.Equal("graph.db", dumped.Database);
        Assert.Equal("3.1.1", dumped.ServerVersion);
        Assert.Contains(server.Folder, dumped.Place);
        Assert.Empty(host.Left);
        Assert.DoesNotContain(Directory.GetFileSystemEntries(Path.Combine(server.Folder, "data")), e => Path.GetFileName(e).Contains("helix", StringComparison.Ordinal));

        await server.Query("MATCH (a:Artifact) DETACH DELETE a");
        var wrong = await host.Fails(FailureClass.InvalidData, new Neo4jVerify(), new() { Target = "neo4j", Counts = dumped.Counts });
        Assert.Contains("0 nodes :Artifact instead of 300", wrong.Message);
        var loaded = await host.Run(new Neo4jLoad(), new() { Target = "neo4j", From = dumped.File, Counts = dumped.Counts });

        Assert.Equal(dumped.Counts, loaded.Counts);
        Assert.Equal(600, await server.Count());
        var kept = Assert.Single(host.Left);
        Assert.Equal(ResidueKind.SafetyCopy, kept.Kind);
        Assert.True(Directory.Exists(Path.Combine(server.Folder, loaded.SafetyCopy!, "databases", "graph.db")));
        host.AssertNoCanary(dumped, loaded, wrong);
    }
}
