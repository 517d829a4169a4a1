using System.Diagnostics;

namespace Helix.Runbooks.Tests.Redis;

public sealed class QuickstartTests
{
    [Fact]
    public async Task The_quickstart_recovers_a_wrecked_redis_and_leaves_nothing()
    {
        if (!File.Exists(RedisServer.Executable))
            Assert.Skip($"{RedisServer.Executable} is missing: apt-get install redis-server");
        var temporary = Directory.CreateTempSubdirectory("helix-quickstart-test-").FullName;

        var (code, output) = await Run(temporary);

        Assert.True(code == 0, output);
        Assert.Contains("Recovered: 10000 keys are back.", output);
        Assert.Contains("RTA of RTO", output);
        Assert.Contains("RPA of RPO", output);
        Assert.Empty(Directory.GetFileSystemEntries(temporary));
        Assert.DoesNotContain(Process.GetProcessesByName("redis-server"), p => StartedIn(p, temporary));
        Directory.Delete(temporary);
    }

    static async Task<(int Code, string Output)> Run(string temporary)
    {
        var start = new ProcessStartInfo("/bin/bash", [Repository.Runbooks("quickstart", "run.sh")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["HELIX"] = Programs.Helix, ["TMPDIR"] = temporary },
        };
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }

    static bool StartedIn(Process process, string folder)
    {
        try
        {
            return new FileInfo($"/proc/{process.Id}/cwd").LinkTarget?.StartsWith(folder, StringComparison.Ordinal) == true;
        }
        catch (IOException)
        {
            return false; // it has ended
        }
    }
}
