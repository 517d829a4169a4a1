using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Neo4j;

namespace Helix.Runbooks.Tests.Neo4j;

/// <summary>How servers are asked, on stubs of 4.4 and 5.25.</summary>
public sealed class DialectTests : IDisposable
{
    readonly TestHost _host = new();
    StubServer? _server;

    StubServer Serve(string version = "5.25.1", bool queryApi = true, string edition = "community")
    {
        var password = _host.Canary("NEO4J_PASSWORD");
        _server = new StubServer(version, StubGraph.Of(10), Ports.Free(), _host.ValueOf(password), edition, queryApi);
        _host.Add("neo4j", new Neo4jTarget { Url = _server.Url, Password = password });
        _host.Add("movies", new Neo4jTarget { Url = _server.Url, Password = password, Database = "movies" });
        _host.Add("wrong", new Neo4jTarget { Url = _server.Url, Password = _host.Canary("WRONG") });
        return _server;
    }

    Task<Neo4jCountsOutputs> Count(string target = "neo4j") => _host.Run(new Neo4jCounts(), new() { Target = target });

    [Theory]
    [InlineData("4.4.38", false, "/db/neo4j/tx/commit")]
    [InlineData("5.18.0", false, "/db/neo4j/tx/commit")]
    [InlineData("5.25.1", true, "/db/neo4j/query/v2")]
    public async Task The_stub_is_asked_in_the_dialect_that_its_discovery_document_offers(string version, bool queryApi, string path)
    {
        var server = Serve(version, queryApi);

        var counts = await Count();

        Assert.Equal(new Dictionary<string, long> { ["nodes"] = 30, ["relationships"] = 20, ["label:Persona"] = 10, ["label:Art`ifact"] = 20, ["type:OWNS"] = 20, ["constraints"] = 1, ["indexes"] = 2 }, counts.Counts);
        Assert.Equal(version, counts.ServerVersion);
        Assert.All(server.Queries, q => Assert.Equal(path, q.Path));
        Assert.All(server.Queries, q => Assert.Equal("READ", q.Access?.ToUpperInvariant()));
        _host.AssertNoCanary(counts);
    }

    [Fact]
    public async Task A_query_api_of_the_stub_that_is_offered_and_closed_is_left_for_the_older_way()
    {
        var server = Serve();
        (server.QueryApi, server.OffersQueryApi) = (false, true);
        Assert.Equal(30, (await Count()).Nodes);
        Assert.All(server.Queries, q => Assert.Equal("/db/neo4j/tx/commit", q.Path));
    }

    [Theory]
    [InlineData("4.4.38")]
    [InlineData("5.25.1")]
    public async Task NEO_10_checks_ask_no_procedure_that_the_stub_has_lost(string version)
    {
        var server = Serve(version);
        server.Graph.Indexes.Add(new("half_built", "POPULATING"));

        var e = await _host.Fails(FailureClass.InvalidData, new Neo4jVerify(), new() { Target = "neo4j" });

        Assert.Contains("the index half_built is POPULATING", e.Message);
        Assert.Contains(server.Queries, q => q.Statement.StartsWith("SHOW CONSTRAINTS", StringComparison.Ordinal));
        Assert.DoesNotContain(server.Queries, q => q.Statement.Contains("db.constraints", StringComparison.Ordinal) || q.Statement.Contains("db.indexes", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("4.4.38")]
    [InlineData("5.25.1")]
    public async Task A_value_reaches_the_stub_as_a_parameter_whatever_is_in_it(string version)
    {
        var server = Serve(version);
        const string odd = "'}) DETACH DELETE (n) // \" \\ ü";
        var options = new Neo4jQueryOptions
        {
            Target = "neo4j",
            Query = "RETURN $value AS value",
            Parameters = new Dictionary<string, JsonNode?> { ["value"] = odd },
            Outputs = new Dictionary<string, DeclaredOutput> { ["back"] = new() { From = "json:$[0].value" } },
        };

        var answer = await _host.Run(new Neo4jQuery(), options);

        Assert.Equal(odd, answer.Values["back"]!.ToString());
        Assert.Equal("RETURN $value AS value", Assert.Single(server.Queries).Statement);
    }

    [Theory]
    [InlineData("4.4.38")]
    [InlineData("5.25.1")]
    public async Task A_large_answer_of_the_stub_is_fetched_page_by_page(string version)
    {
        var server = Serve(version);
        var options = new Neo4jQueryOptions
        {
            Target = "neo4j",
            Query = "MATCH (n) RETURN n.id AS id ORDER BY id SKIP $skip LIMIT $limit",
            Page = 8,
            Outputs = new Dictionary<string, DeclaredOutput> { ["rows"] = new() { Type = Steps.ValueType.List, From = "json:$" } },
        };

        var answer = await _host.Run(new Neo4jQuery(), options);

        Assert.Equal(Enumerable.Range(0, 30), ((JsonArray)answer.Values["rows"]!).Select(r => (int)r!["id"]!));
        Assert.Equal(4, server.Queries.Count);
        var e = await _host.Fails(FailureClass.InvalidData, new Neo4jQuery(), options with { MaxRows = 20 });
        Assert.Contains("more than 20 rows", e.Message);
    }

    [Fact]
    public async Task A_question_that_writes_is_refused_here_and_by_the_stub()
    {
        Serve();
        foreach (var query in new[] { "MATCH (n) DETACH DELETE n", "match (n) set n.a = 1", "MERGE (n:A)" })
            await Assert.ThrowsAsync<RunbookException>(() => _host.Run(new Neo4jQuery(), new() { Target = "neo4j", Query = query }));
        await _host.Run(new Neo4jQuery(), new() { Target = "neo4j", Query = "CREATE (n:A)", Access = QueryAccess.Write });
        // Words in strings, names and comments write nothing.
        foreach (var query in new[] { "MATCH (l:AuditLog {action: 'delete'}) RETURN l.set, l.`create`", "MATCH (n) RETURN n // DELETE later" })
        {
            var e = await _host.Fails(FailureClass.InvalidData, new Neo4jQuery(), new() { Target = "neo4j", Query = query });
            Assert.Contains("refuses the query", e.Message); // the stub does not know it
        }
    }

    public void Dispose()
    {
        _server?.Dispose();
        _host.Dispose();
    }
}
