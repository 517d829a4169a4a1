using Helix.Runbooks.Steps;
using Helix.Steps.Neo4j;

namespace Helix.Runbooks.Tests.Neo4j;

/// <summary>What only the Enterprise edition has, on stubs of 4.4 and 5.25.</summary>
public sealed class EnterpriseTests
{
    [Theory]
    [InlineData("4.4.38", "backup --backup-dir=data/", "restore --from=data/")]
    [InlineData("5.25.1", "database backup --to-path=data/", "database restore --from-path=data/")]
    public async Task A_running_stub_is_backed_up_and_restored_in_the_form_of_its_version(string version, string backup, string restore)
    {
        await using var server = await PosedNeo4j.Start(version, "enterprise");
        var pid = server.Pid;

        var saved = await server.Host.Run(new Neo4jBackup(), new() { Target = "neo4j", To = "work/neo4j.backup" });

        Assert.Equal(pid, server.Pid);
        Assert.StartsWith(backup, server.Calls[^1]);
        Assert.Contains("--include-metadata=all", server.Calls[^1]);
        Assert.Equal(30, saved.Counts["nodes"]);
        Assert.Empty(server.LeftBeside);
        server.Hold(4);
        var restored = await server.Host.Run(new Neo4jRestore(), new() { Target = "neo4j", From = saved.File, Counts = saved.Counts });
        Assert.StartsWith(restore, server.Calls[^1]);
        Assert.Equal(30, restored.Counts["nodes"]);
        Assert.Equal(12, StubGraph.Read(Path.Combine(server.Folder, restored.SafetyCopy!, "databases", "neo4j")).Nodes);
    }

    [Theory]
    [InlineData("4.4.38")]
    [InlineData("5.25.1")]
    public async Task The_database_of_users_of_the_stub_is_backed_up_and_restored_although_it_refuses_to_be_counted(string version)
    {
        await using var server = await PosedNeo4j.Start(version, "enterprise");
        new StubGraph().Write(Path.Combine(server.Folder, "data", "databases", "system"));

        var saved = await server.Host.Run(new Neo4jBackup(), new() { Target = "neo4j", To = "work/system.backup", Database = "system" });
        var restored = await server.Host.Run(new Neo4jRestore(), new() { Target = "neo4j", From = saved.File, Counts = saved.Counts, Database = "system" });

        Assert.Equal(("system", "system"), (saved.Database, restored.Database));
        Assert.Empty(restored.Counts);
        Assert.True(File.Exists(Path.Combine(server.Folder, restored.SafetyCopy!, "databases", "system", StubGraph.File)));
        Assert.Equal(30, await server.Nodes());
    }

    [Fact]
    public async Task NEO_14_on_a_community_stub_the_edition_is_named_before_the_tool_is_called()
    {
        await using var server = await PosedNeo4j.Start();
        var pid = server.Pid;

        var backup = await server.Host.Fails(FailureClass.Conflict, new Neo4jBackup(), new() { Target = "neo4j", To = "work/neo4j.backup" });
        Assert.Contains("neo4j is a Community edition", backup.Message);
        Assert.Contains("neo4j.dump", backup.Hint);
        Assert.Contains(await Warnings(server), w => w.Contains("Community edition", StringComparison.Ordinal));
        Assert.Contains("community", await server.Target.Check(server.Host.PlanContext()));
        var file = server.Host.Write("neo4j.backup", [1, 2, 3]);
        var restore = await server.Host.Fails(FailureClass.Conflict, new Neo4jRestore(), new() { Target = "neo4j", From = file });
        Assert.Contains("neo4j.load", restore.Hint);
        Assert.Equal(pid, server.Pid);
        Assert.DoesNotContain(server.Calls, c => c.Contains("backup", StringComparison.Ordinal) || c.Contains("restore", StringComparison.Ordinal));
    }

    static async Task<IReadOnlyList<string>> Warnings(PosedNeo4j server) =>
        (await server.Host.Plan(new Neo4jBackup(), new() { Target = "neo4j", To = "work/neo4j.backup" })).Warnings;

    [Theory]
    [InlineData("4.4.38")]
    [InlineData("5.25.1")]
    public async Task NEO_10_a_cluster_of_stubs_is_looked_at_in_the_way_that_its_version_has(string version)
    {
        using var host = new TestHost();
        using var server = new StubServer(version, StubGraph.Of(1), Ports.Free(), edition: "enterprise");
        host.Add("neo4j", new Neo4jTarget { Url = server.Url });
        server.Members.AddRange([new("a-1", "one", "one:7687", "Enabled", "Available", Leads: true), new("b-2", "two", "two:7687", "Enabled", "Available")]);

        var well = await host.Run(new Neo4jCluster(), new() { Target = "neo4j", Servers = 2 });

        Assert.Equal("one:7687", well.Leader);
        Assert.Empty(well.Problems);
        Assert.Equal(version[0] == '4', server.Queries.Any(q => q.Statement.Contains("dbms.cluster.overview", StringComparison.Ordinal)));
        server.Members[0] = server.Members[0] with { Leads = false };
        var e = await host.Fails(FailureClass.Conflict, new Neo4jCluster(), new() { Target = "neo4j", Servers = 3 });
        Assert.Contains("nobody takes writes of 'neo4j'", e.Message);
        Assert.Contains("2 members are available instead of 3", e.Message);
        Assert.NotEmpty((await host.Run(new Neo4jCluster(), new() { Target = "neo4j", OnlyReport = true })).Problems);
    }

    [Fact]
    public async Task A_free_member_of_the_stub_is_taken_in_once()
    {
        using var host = new TestHost();
        using var server = new StubServer("5.25.1", StubGraph.Of(1), Ports.Free(), edition: "enterprise");
        host.Add("neo4j", new Neo4jTarget { Url = server.Url });
        server.Members.AddRange([new("a-1", "one", "one:7687", "Enabled", "Available", Leads: true), new("b-2", "two", "two:7687", "Free", "Available")]);
        var options = new Neo4jClusterOptions { Target = "neo4j", EnableFree = true, Servers = 2 };

        Assert.Equal(["two:7687"], (await host.Run(new Neo4jCluster(), options)).Enabled);
        Assert.Empty((await host.Run(new Neo4jCluster(), options)).Enabled);

        using var community = new StubServer("5.25.1", StubGraph.Of(1), Ports.Free());
        host.Add("single", new Neo4jTarget { Url = community.Url });
        Assert.Contains("knows no cluster", (await host.Fails(FailureClass.Conflict, new Neo4jCluster(), new() { Target = "single" })).Message);
    }
}
