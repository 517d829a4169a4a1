using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Files;

public sealed record FileRemoveOptions
{
    [Description("The file or folder to remove with everything in it. Missing is done.")]
    [Example("\"{{ run.work }}\"")]
    public required string Path { get; init; }

    [Description("The folder that it must lie in. Default: the run's work folder.")]
    [Example("/var/cache/helix")]
    [Fixed]
    public string? Base { get; init; }
}

public sealed record FileRemoveOutputs
{
    /// <summary>False: it was not there.</summary>
    public required bool Removed { get; init; }
}

[Step("file.remove", "Removes a file or folder, never outside its base folder.")]
sealed class FileRemove : Step<FileRemoveOptions, FileRemoveOutputs>
{
    static readonly HashSet<string> RootLike =
    [
        "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt", "/proc", "/root", "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/var",
        "/usr/bin", "/usr/lib", "/usr/local", "/usr/sbin", "/usr/share", "/var/lib", "/var/log", "/var/lib/docker",
    ];

    public override IEnumerable<TargetEffect> Effects(FileRemoveOptions options) =>
        [options.Base is null ? TargetEffect.Changes(null) : TargetEffect.Destroys(null, $"everything below {options.Path}")];

    public override Task<StepPlan> Plan(FileRemoveOptions options, PlanContext context)
    {
        var path = Checked(options, context);
        return Task.FromResult(new StepPlan { Lines = [FileStat.Of(path) is null ? $"{path} is not there" : $"remove {path}"] });
    }

    public override Task<FileRemoveOutputs> Run(FileRemoveOptions options, StepContext context)
    {
        var path = Checked(options, context);
        context.Cancelled.ThrowIfCancellationRequested();
        return Disk.Guard(path, () =>
        {
            var type = FileStat.Of(path)?.Type;
            if (type == FileType.Folder)
                Directory.Delete(path, recursive: true); // removes links, never what they point to
            else if (type is not null)
                File.Delete(path);
            context.Log(type is null ? $"{path} is not there" : $"{path} removed");
            return Task.FromResult(new FileRemoveOutputs { Removed = type is not null });
        });
    }

    public override Task<ProbeResult<FileRemoveOutputs>> Probe(FileRemoveOptions options, StepContext context)
    {
        var path = Checked(options, context);
        return Task.FromResult(FileStat.Of(path) is null
            ? ProbeResult<FileRemoveOutputs>.Done(new() { Removed = true }, $"{path} is gone")
            : ProbeResult<FileRemoveOutputs>.NotDone($"{path} is still there"));
    }

    /// <summary>The path, if it may be removed (TPL-01).</summary>
    static string Checked(FileRemoveOptions options, PlanContext context)
    {
        var folder = Full(options.Base ?? context.Run.Work, "base", context);
        var path = Full(options.Path, "path", context);
        var real = FolderWalk.RealParent(path);
        var realFolder = FolderWalk.Real(folder);
        if (!IsInside(path, folder) || !IsInside(real, realFolder))
            throw Refused(options.Path, $"it is not inside {folder}");
        if (options.Base is not null && real == realFolder)
            throw Refused(options.Path, "it is the base folder itself");
        var safe = FolderWalk.Real(context.Run.Safe);
        if (IsInside(safe, real) || IsInside(real, safe))
            throw Refused(options.Path, "safety copies are kept");
        if (IsInside(FolderWalk.Real(context.Run.BaseDirectory), real))
            throw Refused(options.Path, "the runbook lies in it");
        if (MountPoints.All().FirstOrDefault(m => IsInside(m, real)) is { } mounted)
            throw Refused(options.Path, $"a file system is mounted at {mounted}");
        return path;
    }

    static string Full(string path, string option, PlanContext context)
    {
        if (path.Trim().Length == 0)
            throw new RunbookException($"The option '{option}' of file.remove is empty.", "An expression in it gave nothing.");
        if (path.Split('/').Contains(".."))
            throw Refused(path, "it holds '..'");
        if (path.AsSpan().IndexOfAny("*?[") >= 0)
            throw Refused(path, "it holds a wildcard, and those are not expanded");
        var full = System.IO.Path.TrimEndingDirectorySeparator(context.FullPath(path));
        if (RootLike.Contains(full) || RootLike.Contains(FolderWalk.Real(full)) || full == Home())
            throw Refused(path, "it is a folder of the system");
        return full;
    }

    static string Home() => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    static bool IsInside(string path, string folder) => path == folder || path.StartsWith(folder + "/", StringComparison.Ordinal);

    static RunbookException Refused(string path, string why) => new($"'{path}' is not removed: {why}.", "file.remove works below the run's work folder, or below the folder that 'base' declares.");
}
