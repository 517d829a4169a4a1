using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

/// <summary>Which installation a server is: what stays the same when its databases are replaced.</summary>
static class Installation
{
    /// <summary>From 4.0 the id of the installation, before that its home folder.</summary>
    public static async Task<string> Of(Neo4jConnection server)
    {
        if ((await server.About()).Version.IsAtLeast(4))
            return "/" + First(await server.Ask("CALL dbms.info() YIELD id RETURN id", database: "system"), server);
        return First(await server.Ask(
            "CALL dbms.queryJmx('org.neo4j:instance=kernel#0,name=Configuration') YIELD attributes RETURN attributes['unsupported.dbms.directories.neo4j_home'].value"), server);
    }

    static string First(Answer answer, Neo4jConnection server) =>
        answer.Rows is [[{ } value, ..], ..] ? value.ToString() : throw StepFailedException.InvalidData($"{server.Name} does not say which installation it is.");
}
