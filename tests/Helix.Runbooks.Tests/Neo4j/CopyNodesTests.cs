using System.Text.Json.Nodes;
using Helix.Steps.Neo4j;

namespace Helix.Runbooks.Tests.Neo4j;

/// <summary>What a copy of nodes does on servers that answer otherwise than Neo4j 3.1, on stubs.</summary>
public sealed class CopyNodesTests
{
    static JsonObject Ada => new() { ["team"] = "red", ["id"] = 1, ["name"] = "Ada" };

    /// <summary>Since 3.4 the server keeps a map in the order of its hashes.</summary>
    static StubRows? Reversed(StubQuery query) => query switch
    {
        { Statement: var s } when s.Contains("SKIP $__skip", StringComparison.Ordinal) => new(["labels", "properties", "texts"], [new(new JsonArray("Persona"), Ada, new JsonArray("team", "name"))]),
        { Statement: var s } when s.StartsWith("UNWIND $__keys", StringComparison.Ordinal) => new(["key", "properties", "texts"],
            [.. query.Parameters["__keys"]!.AsArray().Select(k => new JsonArray(new JsonObject(k!.DeepClone().AsObject().Reverse().Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone()))), Ada, new JsonArray("team", "name")))]),
        _ => null,
    };

    [Fact]
    public async Task A_node_with_a_key_of_two_properties_is_found_by_a_stub_that_gives_them_back_in_another_order()
    {
        using var host = new TestHost();
        using var from = new StubServer("5.25.1", StubGraph.Of(1), Ports.Free()) { Also = Reversed };
        using var to = new StubServer("5.25.1", StubGraph.Of(1), Ports.Free()) { Also = Reversed };
        host.Add("scratch", new Neo4jTarget { Url = from.Url });
        host.Add("neo4j", new Neo4jTarget { Url = to.Url });

        var looked = await host.Run(new Neo4jCopyNodes(), new() { From = "scratch", To = "neo4j", Label = "Persona", Key = ["team", "id"], DryRun = true });

        Assert.Equal((0, 1), (looked.Missing, looked.Equal));
    }
}
