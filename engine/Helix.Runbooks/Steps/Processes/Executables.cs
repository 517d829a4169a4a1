namespace Helix.Runbooks.Steps.Processes;

/// <summary>Finds executables the way a shell does.</summary>
public static class Executables
{
    public static string SearchPath => Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin";

    /// <summary>The folders in which a call of this tool looks.</summary>
    public static string PathOf(Tool tool) => tool.Environment.GetValueOrDefault("PATH") ?? SearchPath;

    /// <exception cref="StepFailedException">There is none; the message names the folders that were searched (TIM-08).</exception>
    public static string Find(Tool tool)
    {
        if (TryFind(tool) is { } file)
            return file;
        throw tool.File.Contains('/')
            ? StepFailedException.Missing($"There is no executable file {tool.File} on this machine.", "Check the path and its permissions.")
            : StepFailedException.Missing($"The tool {tool.File} is not on this machine: searched {PathOf(tool)}.",
                "Install it, or set PATH for the process that runs helix (cron has a short one).");
    }

    /// <summary>The full path, or null when there is none. A name with a slash is a path.</summary>
    public static string? TryFind(Tool tool) => tool.File.Contains('/')
        ? Full(Path.GetFullPath(tool.File, tool.WorkingDirectory ?? Environment.CurrentDirectory))
        : PathOf(tool).Split(':').Where(f => f.Length > 0).Select(f => Full(Path.Combine(f, tool.File))).FirstOrDefault(f => f is not null);

    /// <summary>As above, for pre-flight.</summary>
    public static string? TryFind(string name) => name.Contains('/')
        ? Full(Path.GetFullPath(name))
        : SearchPath.Split(':').Where(f => f.Length > 0).Select(f => Full(Path.Combine(f, name))).FirstOrDefault(f => f is not null);

    static string? Full(string path)
    {
        const UnixFileMode anyExecute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return File.Exists(path) && (File.GetUnixFileMode(path) & anyExecute) != 0 ? path : null;
    }
}
