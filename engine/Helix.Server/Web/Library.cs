using System.Collections.Concurrent;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;
using RunbookEnvironment = Helix.Runbooks.Model.Environment;

namespace Helix.Server.Web;

/// <summary>The runbooks and environments of a folder, read again when their files change.</summary>
sealed class Library(string folder, StepCatalog catalog)
{
    readonly ConcurrentDictionary<string, (DateTime At, long Size, object Read)> _known = [];

    public string Folder { get; } = Path.GetFullPath(folder);

    /// <summary>Names of files with steps at their top level, sorted.</summary>
    public IReadOnlyList<string> Runbooks => [.. Names(Folder).Where(n => IsRunbook(PathOf(n)))];

    public IReadOnlyList<string> Environments => Directory.Exists(EnvironmentFolder) ? [.. Names(EnvironmentFolder)] : [];

    public bool HasRunbook(string name) => Runbooks.Contains(name);
    public string PathOf(string runbook) => Path.Combine(Folder, runbook + ".yaml");

    /// <summary>A runbook alone, with all its problems.</summary>
    public ReadResult<Runbook> Runbook(string name) => Cached(PathOf(Known(name, Runbooks, "runbook")), p => new RunbookReader(catalog).ReadFile(p));

    /// <summary>A runbook against the names of an environment.</summary>
    public ReadResult<Runbook> Runbook(string name, RunbookEnvironment environment) =>
        new RunbookReader(catalog).ReadFile(PathOf(Known(name, Runbooks, "runbook")), environment);

    public ReadResult<RunbookEnvironment> Environment(string name) =>
        Cached(Path.Combine(EnvironmentFolder, Known(name, Environments, "environment") + ".yaml"), p => new EnvironmentReader(catalog).ReadFile(p));

    /// <exception cref="RunbookException">It has errors.</exception>
    public RunbookEnvironment SoundEnvironment(string name) => Sound(Environment(name), name);

    /// <exception cref="RunbookException">It has errors.</exception>
    public static T Sound<T>(ReadResult<T> read, string name) where T : class => read.Value is { } value && !read.HasErrors
        ? value
        : throw new RunbookException($"{name} cannot be used:\n" + string.Join("\n", read.Problems), "Correct the file; the page of the runbook marks the same problems.");

    string EnvironmentFolder => Path.Combine(Folder, "environments");

    ReadResult<T> Cached<T>(string path, Func<string, ReadResult<T>> read) where T : class
    {
        var file = new FileInfo(path);
        if (_known.TryGetValue(path, out var known) && file.Exists && known.At == file.LastWriteTimeUtc && known.Size == file.Length)
            return (ReadResult<T>)known.Read;
        var fresh = read(path);
        if (file.Exists)
            _known[path] = (file.LastWriteTimeUtc, file.Length, fresh);
        return fresh;
    }

    // A name from outside never becomes a path unless it is one of those that are there.
    static string Known(string name, IReadOnlyList<string> names, string what) =>
        names.Contains(name) ? name : throw new NotThereException($"There is no {what} '{name}'.");

    static IEnumerable<string> Names(string folder) =>
        Directory.EnumerateFiles(folder, "*.yaml").Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal);

    static bool IsRunbook(string path) => File.ReadLines(path).Take(100_000).Any(l => l.StartsWith("steps:", StringComparison.Ordinal));
}

/// <summary>What a request names is not there, or not for this caller to see. 404.</summary>
sealed class NotThereException(string message) : Exception(message);

/// <summary>The caller may not do this. 403; it is recorded.</summary>
sealed class RefusedException(string message) : Exception(message);
