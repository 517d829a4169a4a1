using System.Formats.Tar;
using System.IO.Compression;
using Helix.Runbooks.Tests.Neo4j;

namespace Helix.Runbooks.Tests.Kubernetes;

/// <summary>Programs that the images of the stack hold, as scripts for busybox.</summary>
static class KubeImages
{
    /// <summary>An admin tool of Neo4j that knows how to load, and a check that is always content.</summary>
    public static void Furnish(string root)
    {
        Script(root, "neo4j-admin", """
            echo "$*" >>/data/admin.log
            case "$*" in
              --version) echo 5.25.1 ;;
              "database load neo4j --from-stdin --overwrite-destination=true") mkdir -p /data/databases/neo4j && gzip -dc | tar -xf - -C /data/databases/neo4j ;;
              *) echo "Unmatched arguments: $*" >&2; exit 2 ;;
            esac
            """);
        Script(root, "node", """echo "coverage is complete: $*" """);
    }

    /// <summary>A dump as 3.x writes it, without a mark; each version reads that.</summary>
    public static string Archive(StubGraph graph, string folder)
    {
        var content = Directory.CreateTempSubdirectory("helix-archived-").FullName;
        graph.Write(content);
        var path = Path.Combine(folder, $"neo4j-{Guid.NewGuid():N}.dump");
        using (var packed = new GZipStream(File.Create(path), CompressionLevel.Fastest))
            TarFile.CreateFromDirectory(content, packed, includeBaseDirectory: false);
        TempFolder.Delete(content);
        return path;
    }

    static void Script(string root, string name, string text)
    {
        var path = Path.Combine(root, "bin", name);
        File.WriteAllText(path, "#!/bin/sh\n" + text + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }
}
