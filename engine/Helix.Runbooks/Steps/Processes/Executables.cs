namespace Helix.Runbooks.Steps.Processes;

/// <summary>Finds executables the way a shell does.</summary>
public static class Executables
{
    public static string SearchPath => Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin";

    /// <summary>The full path, or null when there is none. A name with a slash is a path.</summary>
    public static string? Find(string name, string? path = null, string? directory = null)
    {
        if (name.Contains('/'))
            return Full(Path.GetFullPath(name, directory ?? Environment.CurrentDirectory));
        return (path ?? SearchPath).Split(':').Where(f => f.Length > 0).Select(f => Full(Path.Combine(f, name))).FirstOrDefault(f => f is not null);
    }

    /// <exception cref="StepFailedException">There is none; the message names the folders that were searched (TIM-08).</exception>
    public static string Find(Tool tool)
    {
        var path = tool.Environment.GetValueOrDefault("PATH") ?? SearchPath;
        if (Find(tool.File, path, tool.WorkingDirectory) is { } file)
            return file;
        throw tool.File.Contains('/')
            ? StepFailedException.Missing($"There is no executable file {tool.File} on this machine.", "Check the path and its permissions.")
            : StepFailedException.Missing($"The tool {tool.File} is not on this machine: searched {path}.",
                "Install it, or set PATH for the process that runs helix (cron has a short one).");
    }

    static string? Full(string path)
    {
        const UnixFileMode anyExecute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return File.Exists(path) && (File.GetUnixFileMode(path) & anyExecute) != 0 ? path : null;
    }
}
