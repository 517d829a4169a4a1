using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Steps.Processes;

namespace Helix.Steps.Files;

/// <summary>Names of files that are still being written: hidden, beside the final name, with the writer's process in it.</summary>
static class Unfinished
{
    const string Ending = ".unfinished";

    static long _count;

    /// <summary>The process with its start: in a container each helix has the same id.</summary>
    static readonly string Writer = $"{Environment.ProcessId}-{ProcessStat.Read(Environment.ProcessId)?.StartTicks}";

    public static string NameFor(string path) => Path.Combine(
        Path.GetDirectoryName(path)!,
        $".{Short(Path.GetFileName(path))}.{Writer}-{Interlocked.Increment(ref _count)}{Ending}");

    /// <summary>The same for every attempt of one step of a run: the next one removes what was left by one that was killed.</summary>
    public static string NameFor(StepContext context, string path) => Path.Combine(
        Path.GetDirectoryName(path)!,
        $".{Short(Path.GetFileName(path))}.{Mark(context)}{Ending}");

    /// <summary>Of a step in its run, for the names of what it needs for a moment: the same at each of its attempts.</summary>
    /// <param name="what">Where a step needs several: which of them.</param>
    public static string Mark(StepContext context, string what = "") => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{context.Run.Id}/{context.Path}{what}")))[..16];

    /// <summary>Removes what writers of the same file left that are gone by now.</summary>
    public static void RemoveAbandoned(string path)
    {
        var start = $".{Short(Path.GetFileName(path))}.";
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(path)!, ".*" + Ending))
            if (Path.GetFileName(file).StartsWith(start, StringComparison.Ordinal) && !WriterLives(file))
                File.Delete(file);
    }

    public static IEnumerable<string> Below(string folder) => Directory.EnumerateFiles(folder, ".*" + Ending, SearchOption.AllDirectories);

    static bool WriterLives(string file)
    {
        var tail = Path.GetFileName(file)[..^Ending.Length].Split('.')[^1].Split('-');
        if (!int.TryParse(tail[0], NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            return true;
        return ProcessStat.Read(id) is { Ended: false } process && (tail.Length < 3 || tail[1] == process.StartTicks.ToString(CultureInfo.InvariantCulture));
    }

    // A name may have 255 bytes, the marks around it included.
    static string Short(string name) => name.Length <= 60 ? name : name[..60];
}
