using System.Globalization;
using System.Runtime.InteropServices;

namespace Helix.Runbooks.Journal;

/// <summary>
/// Where a crash test lets this process die, by SIGKILL: <c>HELIX_FAILPOINT=append:17:before</c> or <c>append:17:after</c>
/// (the commit of the 17th append of a driver), or <c>point:NAME:3</c> (the third time that the point is passed).
/// </summary>
public static class Failpoint
{
    // Read-only, so that the jitted code of an unarmed process has nothing left of it.
    static readonly Place? Armed = Place.Parse(Environment.GetEnvironmentVariable("HELIX_FAILPOINT"));
    static int _passed;

    /// <summary>A named point, as <c>effect:PATH</c>.</summary>
    public static void Hit(string name)
    {
        if (Armed is { Point: { } point } && point == name && Interlocked.Increment(ref _passed) == Armed.Nth)
            Die();
    }

    internal static void BeforeCommit()
    {
        if (Armed is { Point: null } && Interlocked.Increment(ref _passed) == Armed.Nth && Armed.Before)
            Die();
    }

    internal static void AfterCommit()
    {
        if (Armed is { Point: null, Before: false } && Volatile.Read(ref _passed) >= Armed.Nth)
            Die();
    }

    static void Die()
    {
        _ = kill(Environment.ProcessId, 9);
        Environment.FailFast("HELIX_FAILPOINT");
    }

    [DllImport("libc", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int kill(int pid, int signal);

    sealed record Place(string? Point, int Nth, bool Before)
    {
        public static Place? Parse(string? text)
        {
            if (text is not { Length: > 0 })
                return null;
            if (text.Split(':') is ["append", var count, "before" or "after"])
                return new Place(null, int.Parse(count, CultureInfo.InvariantCulture), text.EndsWith("before", StringComparison.Ordinal));
            var last = text.LastIndexOf(':');
            return text.StartsWith("point:", StringComparison.Ordinal) && last > 6
                ? new Place(text[6..last], int.Parse(text[(last + 1)..], CultureInfo.InvariantCulture), Before: true)
                : throw new InvalidOperationException($"HELIX_FAILPOINT={text} is none of append:N:before, append:N:after, point:NAME:N.");
        }
    }
}
