namespace Helix.Runbooks.Steps.Processes;

/// <summary>How a child is started: in a session of its own, its identity on disk before it does anything.</summary>
static class Wrapper
{
    // setsid gives the child its own session and group: Ctrl-C does not reach it and one kill ends all of it.
    static readonly string Setsid = new[] { "/usr/bin/setsid", "/bin/setsid" }.FirstOrDefault(System.IO.File.Exists) ?? "setsid";

    // Built-ins only, so that nothing is forked: pid, start in clock ticks (field 22 of stat) and boot id, then the tool takes its place.
    // An engine that died before the file was there has left a child that nobody can know of: it does nothing.
    const string WriteIdentity =
        """
        f=$1 b=$2 e=$3; shift 3
        read -r s </proc/$$/stat
        t() { shift 19; printf '%s %s %s\n' $$ "$1" "$b"; }
        t ${s##*) } >"$f" || exit 126
        read -r s </proc/$$/stat
        p() { [ "$2" = "$e" ]; }
        p ${s##*) } || exit 126
        exec "$@"
        """;

    public static string File => Setsid;

    public static IEnumerable<string> Arguments(string executable, IEnumerable<string> arguments, string? pidFile) =>
        pidFile is null
            ? [executable, .. arguments]
            : ["/bin/sh", "-c", WriteIdentity, "sh", pidFile, ProcessIdentity.BootId, $"{Environment.ProcessId}", executable, .. arguments];
}
