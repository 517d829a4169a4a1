using Helix.Runbooks.Tests.Docker;
using Helix.Steps.Neo4j;

namespace Helix.Runbooks.Tests.Neo4j;

/// <summary>The way through a real Docker engine, with a stub of Neo4j 5.25 in the container: its admin tool is a script on the volume.</summary>
[Collection("docker")]
public sealed class InContainerTests(DockerFixture docker)
{
    const string Admin =
        """
        echo "$(hostname) $*" >>/data/calls
        case "$*" in
          --version) echo 5.25.1 ;;
          "database dump neo4j --to-stdout") printf DGV1; { head -c 20 /dev/zero; tar -c -C /data/databases/neo4j .; } | gzip -c ;;
          "database load neo4j --from-stdin --overwrite-destination=true") mkdir -p /data/databases/neo4j && tail -c +5 | gunzip -c | tail -c +21 | tar -x -C /data/databases/neo4j ;;
          *) echo "Unmatched arguments: $*" >&2; exit 2 ;;
        esac
        """;

    [Fact]
    public async Task NEO_02_a_stub_is_dumped_and_loaded_in_one_off_containers_on_its_volume_while_it_is_stopped()
    {
        docker.Need();
        using var host = new TestHost();
        var name = DockerFixture.Name("neo");
        docker.Container(host, name);
        docker.Docker("exec", name, "sh", "-c", $"mkdir -p /data/databases/neo4j && echo graph >/data/databases/neo4j/neostore && chown -R 7474:7475 /data/databases && cat >/data/admin <<'E'\n{Admin}\nE");
        using var server = new StubServer("5.25.1", StubGraph.Of(10), Ports.Free());
        host.Add("neo4j", new Neo4jTarget { Url = server.Url, Admin = ["sh", "/data/admin"], Runtime = new() { Docker = name, Host = docker.Host } });
        var first = docker.Docker("inspect", "-f", "{{.State.StartedAt}}", name);

        var dumped = await host.Run(new Neo4jDump(), new() { Target = "neo4j", To = "work/neo4j.dump" });
        docker.Docker("exec", name, "sh", "-c", "echo other >/data/databases/neo4j/neostore");
        host.SavedValues.Clear();
        var loaded = await host.Run(new Neo4jLoad(), new() { Target = "neo4j", From = dumped.File, Counts = dumped.Counts });

        Assert.Equal("graph", docker.Docker("exec", name, "cat", "/data/databases/neo4j/neostore"));
        Assert.Equal("other", docker.Docker("exec", name, "cat", $"{loaded.SafetyCopy}/databases/neo4j/neostore"));
        Assert.Equal("7474:7475", docker.Docker("exec", name, "stat", "-c", "%u:%g", "/data/databases/neo4j/neostore"));
        var own = docker.Docker("exec", name, "hostname");
        Assert.All(docker.Docker("exec", name, "cat", "/data/calls").Split('\n').Where(c => c.Contains("database", StringComparison.Ordinal)), c => Assert.False(c.StartsWith(own, StringComparison.Ordinal), c));
        Assert.NotEqual(first, docker.Docker("inspect", "-f", "{{.State.StartedAt}}", name));
        Assert.DoesNotContain(docker.Docker("ps", "-a", "--format", "{{.Names}}").Split('\n'), n => n.StartsWith("helix-once", StringComparison.Ordinal));
    }
}
