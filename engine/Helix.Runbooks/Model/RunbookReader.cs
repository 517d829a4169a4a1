using Helix.Runbooks.Model.Yaml;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

/// <summary>YAML text → valid runbook. Reports all problems of the file, and of the files it names, at once; never throws for what is in a file.</summary>
public sealed class RunbookReader(StepCatalog catalog)
{
    /// <summary>Reads a file. With an environment the names of its targets and vars are checked too.</summary>
    public ReadResult<Runbook> ReadFile(string path, Environment? environment = null) =>
        FileBytes.Read(path, out var why) is { } bytes
            ? Read(path, bytes, named => FileBytes.Read(named, out _), environment)
            : FileBytes.Unreadable<Runbook>(path, why);

    /// <summary>Reads text as if it were the file <paramref name="path"/>; files that it names are read by <paramref name="open"/> (null: missing).</summary>
    public ReadResult<Runbook> Read(string path, byte[] text, Func<string, byte[]?> open, Environment? environment = null)
    {
        var problems = new ProblemList();
        var reading = new Reading(catalog, open, environment, problems);
        var runbook = new RunbookFile(reading, path, text, new SubRunbooks(reading, path)).Read();
        return new ReadResult<Runbook>(problems.HasErrors ? null : runbook, problems.Sorted(path));
    }
}

/// <summary>YAML text → valid environment.</summary>
public sealed class EnvironmentReader(StepCatalog catalog)
{
    /// <summary>Reads a file. It is named as the environment: roles are given on the one name, and runs are started with the other.</summary>
    public ReadResult<Environment> ReadFile(string path) =>
        FileBytes.Read(path, out var why) is { } bytes ? Read(path, bytes, isNamed: true) : FileBytes.Unreadable<Environment>(path, why);

    /// <summary>Reads text, as the record of a run keeps it, whatever the file was called.</summary>
    public ReadResult<Environment> Read(string path, byte[] text) => Read(path, text, isNamed: false);

    ReadResult<Environment> Read(string path, byte[] text, bool isNamed)
    {
        var problems = new ProblemList();
        var environment = new EnvironmentFile(catalog, problems, path, text, isNamed).Read();
        return new ReadResult<Environment>(problems.HasErrors ? null : environment, problems.Sorted(path));
    }
}

/// <summary>Files as bytes, none longer than what is read.</summary>
static class FileBytes
{
    /// <returns>Null when the file cannot be read; one byte more than allowed when it is too long.</returns>
    public static byte[]? Read(string path, out string why)
    {
        why = "";
        try
        {
            using var file = File.OpenRead(path);
            var bytes = new byte[YamlText.MostBytes + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return bytes[..length];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            why = e is FileNotFoundException or DirectoryNotFoundException ? "There is no such file" : e.Message.TrimEnd('.');
            return null;
        }
    }

    public static ReadResult<T> Unreadable<T>(string path, string why) where T : class =>
        new(null, [new Problem(new Position(path, 1, 1), $"The file cannot be read: {why}.", "Look at the path and its permissions.") { Rule = "unreadable" }]);
}
