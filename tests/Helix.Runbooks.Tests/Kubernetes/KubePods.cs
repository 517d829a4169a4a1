using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Helix.Runbooks.Tests.Kubernetes;

/// <summary>The file systems of pods: a folder each with busybox in it, and one for each claim, which is mounted where the pod says.</summary>
sealed class KubePods(string folder)
{
    static readonly string[] WithoutTar = ["tar"];
    static readonly string[] WithoutDigest = ["tar", "sha256sum"];

    /// <summary>Puts what an image holds beside busybox into the folder of a new pod.</summary>
    public Action<string> Furnish { get; set; } = _ => { };

    public string FolderOf(string pod) => Path.Combine(folder, "pods", pod);
    public string ClaimOf(string claim) => Path.Combine(folder, "claims", claim);

    public void Make(KubeKey key, JsonObject pod)
    {
        var root = FolderOf(key.Name);
        if (!File.Exists("/usr/bin/busybox") || Directory.Exists(root))
            return;
        foreach (var below in new[] { "bin", "tmp", "dev", "etc", "data" })
            Directory.CreateDirectory(Path.Combine(root, below));
        File.Copy("/usr/bin/busybox", Path.Combine(root, "bin", "busybox"));
        var image = pod["spec"]!["containers"]![0]!["image"]!.ToString();
        var missing = image.Contains("minimal", StringComparison.Ordinal) ? WithoutTar : image.Contains("bare", StringComparison.Ordinal) ? WithoutDigest : [];
        foreach (var applet in new[] { "sh", "cat", "tar", "sha256sum", "wc", "stat", "mv", "rm", "ls", "mkdir", "chown", "chmod", "find", "sleep", "env", "echo", "head", "true", "false", "test", "id", "ln", "readlink", "dirname", "df", "gzip" }.Except(missing))
            File.CreateSymbolicLink(Path.Combine(root, "bin", applet), "busybox");
        File.WriteAllText(Path.Combine(root, "etc", "passwd"), "root:x:0:0:root:/:/bin/sh\nneo4j:x:7474:7474::/data:/bin/sh\n");
        File.WriteAllText(Path.Combine(root, "etc", "group"), "root:x:0:\nneo4j:x:7474:\n");
        Furnish(root);
    }

    /// <summary>A process in the pod's folder, with its claims mounted for that process alone.</summary>
    public Process Start(JsonObject pod, IReadOnlyList<string> command)
    {
        var root = FolderOf(pod["metadata"]!["name"]!.ToString());
        var mounts = new List<string> { $"mount --bind /dev '{root}/dev'" };
        foreach (var (claim, path) in Mounts(pod))
        {
            Directory.CreateDirectory(ClaimOf(claim));
            Directory.CreateDirectory(root + path);
            mounts.Add($"mount --bind '{ClaimOf(claim)}' '{root}{path}'");
        }
        var variables = (pod["spec"]!["containers"]![0]!["env"] as JsonArray ?? []).Where(e => e!["value"] is not null).Select(e => $"{e!["name"]}={e["value"]}");
        return Process.Start(new ProcessStartInfo("unshare",
            ["-m", "sh", "-c", $"{string.Join(" && ", mounts)} && exec chroot '{root}' \"$@\"", "sh", "/bin/env", "-i", "PATH=/bin", "HOME=/", .. variables, .. command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }

    static IEnumerable<(string Claim, string Path)> Mounts(JsonObject pod)
    {
        var claims = (pod["spec"]!["volumes"] as JsonArray ?? []).Where(v => v!["persistentVolumeClaim"] is not null)
            .ToDictionary(v => v!["name"]!.ToString(), v => v!["persistentVolumeClaim"]!["claimName"]!.ToString());
        return (pod["spec"]!["containers"]![0]!["volumeMounts"] as JsonArray ?? [])
            .Where(m => claims.ContainsKey(m!["name"]!.ToString())).Select(m => (claims[m!["name"]!.ToString()], m["mountPath"]!.ToString()));
    }

    /// <summary>Mounts need root.</summary>
    public static void Need()
    {
        if (System.Environment.UserName != "root" || !File.Exists("/usr/bin/busybox") || !File.Exists("/usr/bin/unshare"))
            Assert.Skip("NO PODS: commands in pods need root, unshare and busybox-static. Nothing about exec and copy was tested.");
    }
}
