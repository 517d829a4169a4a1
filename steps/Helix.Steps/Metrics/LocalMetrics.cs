using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Metrics;

public sealed record DiskMetric : MetricOrigin
{
    [Description("A path on the file system.")]
    [Example("/var/lib/neo4j")]
    public required string Path { get; init; }

    internal override Task<Metric> Read(bool below, StepContext context)
    {
        var path = context.FullPath(Path);
        if (!Directory.Exists(path) && !File.Exists(path))
            throw StepFailedException.Missing($"There is no {path} on this machine.");
        var disk = new DriveInfo(path);
        // As df: what only root may use is neither free nor used.
        double used = disk.TotalSize - disk.TotalFreeSpace;
        return Task.FromResult(new Metric(Math.Round(100 * used / (used + disk.AvailableFreeSpace), 2)));
    }
}

public enum HostPart { Cpu, Memory }

public sealed record HostMetric : MetricOrigin
{
    [Description("Which part of this machine.")]
    public required HostPart Part { get; init; }

    [Description("For the CPU: measured over this time.")]
    public Duration Over { get; init; } = new(TimeSpan.FromSeconds(5));

    internal override async Task<Metric> Read(bool below, StepContext context)
    {
        if (Part == HostPart.Memory)
            return new(Memory(await File.ReadAllLinesAsync("/proc/meminfo", context.Cancelled)));
        var before = (await File.ReadAllLinesAsync("/proc/stat", context.Cancelled))[0];
        await context.Delay(Over.Value);
        return new(Cpu(before, (await File.ReadAllLinesAsync("/proc/stat", context.Cancelled))[0]));
    }

    /// <summary>Memory that programs could have without swapping counts as free.</summary>
    internal static double Memory(IEnumerable<string> lines)
    {
        var sizes = lines.Select(l => l.Split([':', ' '], StringSplitOptions.RemoveEmptyEntries)).Where(p => p.Length > 1).ToDictionary(p => p[0], p => p[1]);
        var (total, free) = (Number(sizes.GetValueOrDefault("MemTotal"), "/proc/meminfo"), Number(sizes.GetValueOrDefault("MemAvailable"), "/proc/meminfo"));
        return Math.Round(100 * (total - free) / total, 2);
    }

    /// <summary>Waiting for a disk counts as idle, as in top.</summary>
    internal static double Cpu(string before, string after)
    {
        var (a, b) = (Ticks(before), Ticks(after));
        var (all, idle) = (b.Sum() - a.Sum(), b[3] + b[4] - a[3] - a[4]);
        return all <= 0 ? 0 : Math.Round(100.0 * (all - idle) / all, 2);
    }

    static List<long> Ticks(string line) => [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(8).Select(t => long.Parse(t, CultureInfo.InvariantCulture))];
}

public sealed record CommandMetric : MetricOrigin
{
    [Description("The executable and its arguments.")]
    [Example("[node, count-personas.js]")]
    [MinLength(1)]
    public required IReadOnlyList<string> Argv { get; init; }

    internal override async Task<Metric> Read(bool below, StepContext context)
    {
        var result = await (context.Tool(Argv[0], Argv.Skip(1)) with { WorkingDirectory = context.Run.BaseDirectory }).Run();
        return new(Number(result.Stdout, Argv[0]));
    }
}
