using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

/// <summary>YAML text → valid runbook. Reports all problems of the file, and of the files it names, at once; never throws for what is in a file.</summary>
public sealed class RunbookReader(StepCatalog catalog)
{
    /// <summary>Reads a file. With an environment the names of its targets and vars are checked too.</summary>
    public ReadResult<Runbook> ReadFile(string path, Environment? environment = null) =>
        throw new NotImplementedException($"{catalog}{path}{environment}");

    /// <summary>Reads text as if it were the file <paramref name="path"/>; files that it names are read by <paramref name="open"/> (null: missing).</summary>
    public ReadResult<Runbook> Read(string path, byte[] text, Func<string, byte[]?> open, Environment? environment = null) =>
        throw new NotImplementedException($"{catalog}{path}{text}{open}{environment}");
}

/// <summary>YAML text → valid environment.</summary>
public sealed class EnvironmentReader(StepCatalog catalog)
{
    public ReadResult<Environment> ReadFile(string path) => throw new NotImplementedException($"{catalog}{path}");
    public ReadResult<Environment> Read(string path, byte[] text) => throw new NotImplementedException($"{catalog}{path}{text}");
}
