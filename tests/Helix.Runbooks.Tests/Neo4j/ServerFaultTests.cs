using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Http;
using Helix.Steps.Neo4j;

namespace Helix.Runbooks.Tests.Neo4j;

/// <summary>What is said of a server that refuses or fails, on stubs of 4.4 and 5.25.</summary>
public sealed class ServerFaultTests : IDisposable
{
    readonly TestHost _host = new();
    readonly List<IDisposable> _servers = [];

    StubServer Serve(string version)
    {
        var password = _host.Canary("NEO4J_PASSWORD");
        var server = new StubServer(version, StubGraph.Of(10), Ports.Free(), _host.ValueOf(password));
        _servers.Add(server);
        _host.Add("neo4j", new Neo4jTarget { Url = server.Url, Password = password });
        _host.Add("movies", new Neo4jTarget { Url = server.Url, Password = password, Database = "movies" });
        _host.Add("wrong", new Neo4jTarget { Url = server.Url, Password = _host.Canary("WRONG") });
        return server;
    }

    Task<StepFailedException> Fails(FailureClass failure, string target = "neo4j") => _host.Fails(failure, new Neo4jCounts(), new() { Target = target });

    [Theory]
    [InlineData("4.4.38")]
    [InlineData("5.25.1")]
    public async Task Refusals_of_the_stub_are_told_apart(string version)
    {
        var server = Serve(version);
        Assert.Contains("refuses the password of user 'neo4j'", (await Fails(FailureClass.Auth, "wrong")).Message);
        Assert.Contains("has no database 'movies'", (await Fails(FailureClass.Missing, "movies")).Message);
        server.Faults.Enqueue(StubFault.FirstPassword);
        Assert.Contains("change the first password", (await Fails(FailureClass.Auth)).Message);
        server.Dispose();
        Assert.Contains("does not answer", (await Fails(FailureClass.Transient)).Message);
        Assert.Null(await _host.PlanContext().Target<Neo4jTarget>("neo4j").ReadPlace(_host.PlanContext()));
    }

    [Theory]
    [InlineData("4.4.38")]
    [InlineData("5.25.1")]
    public async Task A_disturbed_stub_is_asked_again_and_given_up_as_transient(string version)
    {
        var server = Serve(version);
        foreach (var fault in new[] { StubFault.Status429, StubFault.Status503, StubFault.Disturbed, StubFault.Dropped, StubFault.CutOff })
        {
            server.Faults.Enqueue(fault);
            Assert.Equal(30, (await _host.Run(new Neo4jCounts(), new() { Target = "neo4j" })).Nodes);
        }
        foreach (var fault in new[] { StubFault.Status503, StubFault.RateLimit, StubFault.Dropped })
        {
            for (var i = 0; i < 3; i++)
                server.Faults.Enqueue(fault);
            await Fails(FailureClass.Transient);
            Assert.Empty(server.Faults);
        }
    }

    [Fact]
    public async Task A_write_to_the_stub_is_sent_again_only_when_it_was_undone()
    {
        var server = Serve("5.25.1");
        var write = new Neo4jQueryOptions { Target = "neo4j", Query = "CREATE (n:A)", Access = QueryAccess.Write };
        server.Faults.Enqueue(StubFault.Disturbed);
        await _host.Run(new Neo4jQuery(), write);
        Assert.Equal(2, server.Queries.Count);

        server.Faults.Enqueue(StubFault.Dropped);
        await _host.Fails(FailureClass.Transient, new Neo4jQuery(), write);
        Assert.Equal(3, server.Queries.Count);
        Assert.Equal(ProbeVerdict.Unknown, (await _host.Probe(new Neo4jQuery(), write)).Verdict);
    }

    [Fact]
    public async Task An_answer_of_the_stub_without_rows_or_sense_is_no_answer()
    {
        var server = Serve("5.25.1");
        var query = new Neo4jQueryOptions { Target = "neo4j", Query = "RETURN $value AS value", NeedsRows = true };
        server.Faults.Enqueue(StubFault.NoRows);
        await _host.Fails(FailureClass.Missing, new Neo4jQuery(), query);
        server.Faults.Enqueue(StubFault.NoJson);
        await _host.Fails(FailureClass.InvalidData, new Neo4jQuery(), query);

        using var other = new HttpStub(_ => new StubAnswer(200, "<html>not a database</html>"));
        _host.Add("other", new Neo4jTarget { Url = other.Url });
        Assert.Contains("no discovery document", (await Fails(FailureClass.InvalidData, "other")).Message);
    }

    [Fact]
    public async Task A_slow_stub_does_not_outlive_a_cancel()
    {
        var server = Serve("5.25.1");
        server.Faults.Enqueue(StubFault.Slow);
        var running = _host.Run(new Neo4jCounts(), new() { Target = "neo4j" });
        await Eventually.True(() => !server.Queries.IsEmpty, "the query has arrived");
        _host.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running).WaitAsync(Hang.Limit, TimeProvider.System);
    }

    [Fact]
    public async Task The_place_of_a_stub_is_its_installation_and_not_its_store()
    {
        Serve("5.25.1");
        var target = _host.PlanContext().Target<Neo4jTarget>("neo4j");
        Assert.Equal($"{Environment.MachineName}:{new Uri(target.Url).Port}/5A7B", await target.ReadPlace(_host.PlanContext()));
        Assert.Equal("Neo4j 5.25.1 community, 30 nodes", await target.Check(_host.PlanContext()));
    }

    public void Dispose()
    {
        _servers.ForEach(s => s.Dispose());
        _host.Dispose();
    }
}
