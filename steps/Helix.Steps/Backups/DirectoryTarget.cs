using System.ComponentModel;
using System.Text.Json.Serialization;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Backups;

/// <summary>Backups in a folder: the same steps and promises as S3, without a server.</summary>
[Target("directory", "A folder that holds backups.")]
public sealed record DirectoryTarget : BackupTarget
{
    [Description("The folder; it must be there. Absolute, or relative to the runbook.")]
    [Example("/backups")]
    [FilePath]
    public required string Path { get; init; }

    [Description("The folder must lie on a disk of its own: refuse when nothing but the root file system is mounted there.")]
    public bool Mounted { get; init; }

    [JsonIgnore]
    public override string Address => $"directory:{Environment.MachineName}:{System.IO.Path.TrimEndingDirectorySeparator(Path)}";

    public override async Task<BackupStore> Open(PlanContext context)
    {
        var folder = System.IO.Path.TrimEndingDirectorySeparator(context.FullPath(Path));
        // Never created here: an unmounted disk would silently be replaced by a folder on the root file system.
        if (!Directory.Exists(folder))
            throw StepFailedException.Missing($"The folder {folder} of target '{Name}' is not there.", "Mount its disk, or create the folder once by hand.");
        if (Mounted && !MountPoints.All().Any(m => m != "/" && IsInside(folder, m)))
            throw StepFailedException.Missing($"No disk is mounted at the folder {folder} of target '{Name}'.", "Mount it; nothing was written beside it.");
        return new DirectoryStore(folder) { Keys = await Keys(context), Clock = context.Time };
    }

    public override Task<string?> ReadPlace(PlanContext context)
    {
        var folder = new DirectoryInfo(context.FullPath(Path));
        return Task.FromResult(folder.Exists ? $"{Environment.MachineName}:{(folder.ResolveLinkTarget(true) ?? folder).FullName}" : null);
    }

    public override Task<string?> ReadLabel(PlanContext context)
    {
        var file = System.IO.Path.Combine(context.FullPath(Path), LabelKey);
        return Task.FromResult(File.Exists(file) ? File.ReadLines(file).FirstOrDefault()?.Trim() : null);
    }

    public override async Task<string> Check(PlanContext context)
    {
        await using var store = await Open(context);
        var folder = context.FullPath(Path);
        return $"{folder}, {ByteSize.Words(new DriveInfo(folder).AvailableFreeSpace)} free";
    }

    static bool IsInside(string path, string folder) =>
        path == folder || path.StartsWith(folder.TrimEnd('/') + "/", StringComparison.Ordinal);
}
