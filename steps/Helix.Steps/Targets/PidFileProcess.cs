using Helix.Runbooks.Steps;
using Helix.Runbooks.Steps.Processes;

namespace Helix.Steps.Targets;

/// <summary>A process that lives and has the number that is in a pid file: the service, or somebody who got that number later.</summary>
/// <param name="Noted">What was started last by a runtime, as it is noted beside the pid file; null where nothing is.</param>
/// <param name="Born">By the clock of now: after that was set forward, a process looks younger than the file that it wrote.</param>
/// <param name="Words">Its command line.</param>
sealed record PidFileProcess(ProcessIdentity Process, ProcessIdentity? Noted, DateTime Born, DateTime Written, IReadOnlyList<string> Words)
{
    /// <summary>Where the identity of what was started is noted.</summary>
    public static string NoteOf(string pidFile) => pidFile + ".process";

    /// <summary>The command line of a process of this machine; empty for one that has ended.</summary>
    public static IReadOnlyList<string> WordsOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Split('\0', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <exception cref="StepFailedException">Conflict: it may be either. A service that runs must not be started beside itself, nor a stranger be killed.</exception>
    public bool IsService(ProcessOptions options, string name)
    {
        if (Noted == Process || Born <= Written + TimeSpan.FromSeconds(5) || IsAsStarted(options))
            return true;
        if (!IsLikely(options))
            return false;
        throw StepFailedException.Conflict($"It cannot be told whether {name} runs: pid {Process.Pid} of {options.PidFile} is younger than that file by the clock, and its command line is like the service's: {Shown}.",
            $"Was the clock set? If it is the service: touch {Shell.Quoted(options.PidFile)}. If not, remove that file.");
    }

    bool IsAsStarted(ProcessOptions options) =>
        Words.Count > 0 && NameOf(Words[0]) == NameOf(options.Start[0]) && Words.Skip(1).SequenceEqual(options.Start.Skip(1));

    /// <summary>Servers change their command line, and scripts start something else: the program's name or the folder is left of it.</summary>
    bool IsLikely(ProcessOptions options) =>
        Words.Any(w => NameOf(w) == NameOf(options.Start[0])) || Words.Any(w => options.Directory.Length > 1 && w.Contains(options.Directory, StringComparison.Ordinal));

    static string NameOf(string word) => Path.GetFileName(word.Split(' ', ':')[0]);

    string Shown => string.Join(' ', Words) is var line && line.Length > 80 ? line[..79] + "…" : line;
}
