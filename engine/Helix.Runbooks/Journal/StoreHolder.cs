using System.Globalization;
using Helix.Runbooks.Steps.Processes;

namespace Helix.Runbooks.Journal;

/// <summary>The other process of this host that holds the write lock of an SQLite store.</summary>
/// <remarks>SQLite in WAL mode locks byte 120 of the <c>-shm</c> file for a writer (walformat.html, "WAL-Index File"). The file is not opened here: closing it would give up the locks of this process (fcntl(2)).</remarks>
sealed record StoreHolder(int Pid, bool IsStopped)
{
    const long FirstLock = 120, LastLock = 122; // write, checkpoint, recover

    /// <summary>Null when none is seen: nobody holds it now, or this account may not look into that process.</summary>
    public static StoreHolder? Of(string store)
    {
        try
        {
            var shared = Path.GetFullPath(store) + "-shm";
            return File.ReadLines("/proc/locks").Select(Writer).OfType<int>().Distinct()
                .Where(p => p != Environment.ProcessId && HasOpen(p, shared))
                .Select(p => new StoreHolder(p, ProcessStat.Read(p)?.State is 'T' or 't')).FirstOrDefault();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A line is <c>1: POSIX ADVISORY WRITE 1234 fe:00:5678 120 120</c> (proc_locks(5)); one of who waits has an arrow in it.</summary>
    static int? Writer(string line) =>
        line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, "POSIX", _, "WRITE", var pid, _, var from, var to]
        && int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out var p) && long.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out var first)
        && first <= LastLock && (to == "EOF" || long.TryParse(to, NumberStyles.None, CultureInfo.InvariantCulture, out var last) && last >= FirstLock)
            ? p
            : null;

    static bool HasOpen(int pid, string path)
    {
        try
        {
            return Directory.EnumerateFiles($"/proc/{pid}/fd").Any(f => new FileInfo(f).LinkTarget == path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
