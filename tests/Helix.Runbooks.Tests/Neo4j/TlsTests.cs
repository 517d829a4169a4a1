using Helix.Runbooks.Steps;
using Helix.Steps.Neo4j;

namespace Helix.Runbooks.Tests.Neo4j;

/// <summary>TLS, in front of a stub.</summary>
public sealed class TlsTests
{
    [Fact]
    public async Task A_stub_that_speaks_tls_is_trusted_by_its_authority_only()
    {
        using var server = new StubServer("5.25.1", StubGraph.Of(10), Ports.Free());
        using var front = new TlsFront(server.Port);
        using var host = new TestHost();
        host.Add("neo4j", new Neo4jTarget { Url = front.Url, CaFile = front.CaFile });
        host.Add("stranger", new Neo4jTarget { Url = front.Url, CaFile = front.OtherCaFile });
        host.Add("plain", new Neo4jTarget { Url = server.Url.Replace("http:", "https:", StringComparison.Ordinal) });

        Assert.Equal(30, (await host.Run(new Neo4jCounts(), new() { Target = "neo4j" })).Nodes);
        foreach (var target in new[] { "stranger", "plain" })
            Assert.Contains("certificate that is not trusted", (await host.Fails(FailureClass.Auth, new Neo4jCounts(), new() { Target = target })).Message);
    }
}
