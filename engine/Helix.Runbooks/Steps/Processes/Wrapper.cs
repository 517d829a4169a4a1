namespace Helix.Runbooks.Steps.Processes;

/// <summary>How a child is started: in a session of its own, and doing nothing before its identity is on disk.</summary>
static class Wrapper
{
    // setsid gives the child its own session and group: Ctrl-C does not reach it and one kill ends all of it.
    static readonly string Setsid = new[] { "/usr/bin/setsid", "/bin/setsid" }.FirstOrDefault(System.IO.File.Exists) ?? "setsid";

    const string Locale = "LC_ALL";

    // Built-ins only, so that nothing is forked. The first line of its input is the word to go; then the tool takes its place, with the rest of the input.
    // An engine that died before it gave the word has left a child that nobody may know of: its input ends, and it does nothing.
    const string WaitForTheWord = """[ -n "$1" ] && LC_ALL=${1#=} || unset LC_ALL; shift; read -r _ && exec "$@"; exit 126""";

    public static ReadOnlyMemory<byte> TheWord { get; } = "\n"u8.ToArray();

    public static string File => Setsid;

    /// <param name="waits">It does nothing before <see cref="TheWord"/>.</param>
    public static IEnumerable<string> Arguments(string executable, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> environment, bool waits) =>
        waits ? ["/bin/sh", "-c", WaitForTheWord, "sh", LocaleOf(environment) is { } locale ? "=" + locale : "", executable, .. arguments] : [executable, .. arguments];

    /// <summary>setsid would load a locale with thirty files, for messages that it never writes: half of its time.</summary>
    public static IReadOnlyDictionary<string, string?> EnvironmentOf(IReadOnlyDictionary<string, string?> environment, bool waits) =>
        waits ? new Dictionary<string, string?>(environment) { [Locale] = "C" } : environment;

    static string? LocaleOf(IReadOnlyDictionary<string, string?> environment) =>
        environment.TryGetValue(Locale, out var set) ? set : Environment.GetEnvironmentVariable(Locale);
}
