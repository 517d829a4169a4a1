using System.Text.Json.Nodes;
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
        var check = new Neo4jCheck { Query = "MATCH (p:Persona)-[:OWNS]->() WHERE p.id > 100 RETURN count(p)", MaxChangeFromLastBackup = 20 };
        host.Add("checked", host.PlanContext().Target<Neo4jTarget>("neo4j") with { Checks = [check] });
        await server.Query("CREATE CONSTRAINT ON (p:Persona) ASSERT p.id IS UNIQUE");
        await server.Fill(300);

        var dumped = await host.Run(new Neo4jDump(), new() { Target = "checked", To = "work/neo4j.dump" });

        Assert.Equal(600, dumped.Counts["nodes"]);
        Assert.Equal(300, dumped.Counts["type:OWNS"]);
        Assert.Equal(1, dumped.Counts["constraints"]);
        Assert.Equal(await server.Count(check.Query), dumped.Counts[check.CountName]);
        Assert.NotEqual(0, dumped.Counts[check.CountName]);
        Assert.Equal("graph.db", dumped.Database);
        Assert.Equal("3.1.1", dumped.ServerVersion);
        Assert.Contains(server.Folder, dumped.Place);
        Assert.Empty(host.Left);
        Assert.DoesNotContain(Directory.GetFileSystemEntries(Path.Combine(server.Folder, "data")), e => Path.GetFileName(e).Contains("helix", StringComparison.Ordinal));

        var target = host.PlanContext().Target<Neo4jTarget>("neo4j");
        Assert.Equal("Neo4j 3.1.1 community, 600 nodes", await target.Check(host.PlanContext()));
        Assert.Equal($"{Environment.MachineName}:{server.Port}{server.Folder}", await target.ReadPlace(host.PlanContext()));
        host.Add("intruder", server.Target(host.Canary("WRONG")));
        Assert.Contains("refuses the password of user 'neo4j'", (await host.Fails(FailureClass.Auth, new Neo4jCounts(), new() { Target = "intruder" })).Message);

        await server.Query("MATCH (a:Artifact) DETACH DELETE a");
        var wrong = await host.Fails(FailureClass.InvalidData, new Neo4jVerify(), new() { Target = "checked", Counts = dumped.Counts });
        Assert.Contains("0 nodes :Artifact instead of 300", wrong.Message);
        var loaded = await host.Run(new Neo4jLoad(), new() { Target = "checked", From = dumped.File, Counts = dumped.Counts });

        Assert.Equal(dumped.Counts, loaded.Counts);
        Assert.Equal(600, await server.Count());
        // Elsewhere nobody counts by that check; whose backup it is has rules for it, too.
        var verified = await host.Run(new Neo4jVerify(), new() { Target = "neo4j", Counts = dumped.Counts, ChecksOf = "checked" });
        Assert.Equal(1, verified.Checked);
        host.Add("strict", target with { Checks = [new() { Query = "MATCH (p:Persona) RETURN count(p)", Expect = 7 }] });
        Assert.Contains("gives 300 instead of 7", (await host.Fails(FailureClass.InvalidData, new Neo4jVerify(), new() { Target = "neo4j", ChecksOf = "strict" })).Message);
        var kept = Assert.Single(host.Left);
        Assert.Equal(ResidueKind.SafetyCopy, kept.Kind);
        Assert.True(Directory.Exists(Path.Combine(server.Folder, loaded.SafetyCopy!, "databases", "graph.db")));
        host.AssertNoCanary(dumped, loaded, wrong);

        // Where it is identified by its runtime, that is known also while it is down.
        var identified = target with { Identity = new() { Place = (await target.Service.Place(host.PlanContext()))! } };
        await server.Kill();
        Assert.Equal(identified.Identity.Place, await identified.ReadPlace(host.PlanContext()));
        Assert.Null(await target.ReadPlace(host.PlanContext()));
    }

    [Fact]
    public async Task Deleted_nodes_come_back_from_a_scratch_server_with_their_relationships_and_the_way_back_is_kept()
    {
        await using var scratch = await OldNeo4j.Start();
        await using var live = await OldNeo4j.Start();
        using var host = live.Host();
        scratch.AddTo(host, "scratch");
        await scratch.Fill(30);
        await scratch.Query("MATCH (p:Persona) WHERE p.id <= 2 SET p.weight = 1.0, p.tags = ['a', 'b'], p.`odd ``name` = 'x', p:Chief");
        await scratch.Query("MATCH (a:Persona {id: 1}), (b:Persona {id: 2}) CREATE (a)-[:KNOWS {since: 2020}]->(b)");
        await scratch.Query("MATCH (a:Persona {id: 3}) CREATE (a)-[:OWNS]->(:Artifact {id: 99}), (a)-[:SAW]->(:Thing)");
        await live.Fill(30);
        await live.Query("MATCH (p:Persona) WHERE p.id <= 5 DETACH DELETE p");
        await live.Query("MATCH (p:Persona {id: 6}) SET p.name = 'changed since'");
        var options = new Neo4jCopyNodesOptions { From = "scratch", To = "neo4j", Label = "Persona", Key = ["id"], Where = "n.id < $below", Parameters = new Dictionary<string, JsonNode?> { ["below"] = 10 }, Batch = 3 };

        var looked = await host.Run(new Neo4jCopyNodes(), options with { DryRun = true });
        Assert.Equal((5, 1, 3), (looked.Missing, looked.Skipped, looked.Equal));
        Assert.Equal(25, await live.Count("MATCH (p:Persona) RETURN count(p)"));
        var many = await host.Fails(FailureClass.Conflict, new Neo4jCopyNodes(), options with { MaxCount = 4 });
        Assert.Contains("5 nodes :Persona would be written", many.Message);
        await host.Fails(FailureClass.Conflict, new Neo4jCopyNodes(), options with { Conflict = CopyConflict.Fail });
        Assert.Equal(25, await live.Count("MATCH (p:Persona) RETURN count(p)"));

        var copied = await host.Run(new Neo4jCopyNodes(), options);
        Assert.Equal((5, 1, 6, 2), (copied.Missing, copied.Skipped, copied.Relationships, copied.Loose));
        Assert.Equal(1, await live.Count("MATCH (:Chief {id: 1, weight: 1.0, tags: ['a', 'b'], `odd ``name`: 'x'})-[:KNOWS {since: 2020}]->(:Chief {id: 2}) RETURN count(*)"));
        Assert.Equal(30, await live.Count("MATCH (:Persona)-[r:OWNS]->(:Artifact) RETURN count(r)"));
        Assert.Equal(1, await live.Count("MATCH (p:Persona {name: 'changed since'}) RETURN count(p)"));

        // Again is the same, also where the first attempt died before its relationships.
        await live.Query("MATCH (:Persona {id: 1})-[r:OWNS]->() DELETE r");
        var again = await host.Run(new Neo4jCopyNodes(), options);
        Assert.Equal((5, 1), (again.Missing, again.Relationships));
        Assert.Equal(30, await live.Count("MATCH (:Persona)-[r:OWNS]->(:Artifact) RETURN count(r)"));

        var nothing = new Neo4jUndoCopyOptions { Target = "neo4j", From = "safe/nothing.jsonl" };
        await host.Fails(FailureClass.Missing, new Neo4jUndoCopy(), nothing);
        Assert.Equal(0, (await host.Run(new Neo4jUndoCopy(), nothing with { MayBeMissing = true })).Statements);
        await host.Run(new Neo4jUndoCopy(), new() { Target = "neo4j", From = copied.Undo!, MayBeMissing = true });
        Assert.Equal(25, await live.Count("MATCH (p:Persona) RETURN count(p)"));
        host.AssertNoCanary(copied, again, many);
    }
}
