using System.Collections.Concurrent;

namespace Helix.Runbooks.Steps;

/// <summary>Reads one field of a secret from a Vault target.</summary>
public delegate Task<string> VaultReader(string target, string path, string field, CancellationToken cancelled);

/// <summary>Finds the values behind references, in the order in which they are listed, and has each masked before anybody sees it.</summary>
public sealed class SecretSources(Masker masker)
{
    const int LargestFile = 1 << 20;

    readonly AsyncLocal<IReadOnlyList<string>?> _asking = new();
    readonly ConcurrentDictionary<string, bool> _words = [];

    /// <summary>References whose value turned out to be no more than a word.</summary>
    public IEnumerable<string> Words => _words.Keys.Order(StringComparer.Ordinal);

    /// <summary>Variables of the engine's own environment.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>Relative <c>file:</c> references start here.</summary>
    public string BaseDirectory { get; init; } = Environment.CurrentDirectory;

    /// <summary>Null while no Vault target can be asked.</summary>
    public VaultReader? Vault { get; init; }

    /// <exception cref="StepFailedException">No reference gave a value; the message names the references and never a value.</exception>
    public async Task<string> Reveal(Secret secret, CancellationToken cancelled)
    {
        var reasons = new List<StepFailedException>();
        foreach (var reference in secret.References)
        {
            try
            {
                var value = await Read(reference, cancelled);
                if (!masker.Add(value))
                    _words[reference] = true;
                return value;
            }
            catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
            {
                reasons.Add(e);
            }
        }
        if (reasons.Count == 1)
            throw reasons[0];
        throw new StepFailedException(reasons[^1].Failure, $"None of {reasons.Count} references gave the secret: {string.Join(" ", reasons.Select(r => r.Message))}", reasons[^1].Hint);
    }

    Task<string> Read(string reference, CancellationToken cancelled)
    {
        var (scheme, rest) = (reference[..reference.IndexOf(':')], reference[(reference.IndexOf(':') + 1)..]);
        return scheme switch
        {
            "env" => Task.FromResult(FromVariable(rest)),
            "file" => FromFile(rest, cancelled),
            "vault" => FromVault(rest, cancelled),
            _ => throw new RunbookException(Secret.Fault("")!),
        };
    }

    string FromVariable(string name) =>
        Variable(name) is { Length: > 0 } value
            ? value
            : throw StepFailedException.Missing($"The environment variable {name} is {(Variable(name) is null ? "not set" : "empty")} here.",
                $"Set {name} for the process that runs helix, or add another reference such as file:/path.");

    async Task<string> FromFile(string name, CancellationToken cancelled)
    {
        var path = Path.GetFullPath(name, BaseDirectory);
        try
        {
            if (new FileInfo(path).Length > LargestFile)
                throw StepFailedException.InvalidData($"The secret file {path} is larger than {ByteSize.Words(LargestFile)}.");
            var text = await File.ReadAllTextAsync(path, cancelled);
            var value = text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
            return value.Length > 0 ? value : throw StepFailedException.Missing($"The secret file {path} is empty.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw StepFailedException.Missing($"The secret file {path} does not exist here.");
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw StepFailedException.Auth($"The secret file {path} cannot be read: {e.Message}");
        }
    }

    async Task<string> FromVault(string place, CancellationToken cancelled)
    {
        var (slash, hash) = (place.IndexOf('/'), place.LastIndexOf('#'));
        if (slash <= 0 || hash < slash + 2 || hash == place.Length - 1)
            throw new RunbookException($"The reference vault:{place} is incomplete.", "It is written vault:target/path#field.");
        if (Vault is null)
            throw StepFailedException.Missing($"The reference vault:{place} cannot be read: no Vault can be asked here.", "Add a second reference, as [vault:…, file:/path], for the time without Vault.");
        return await Apart(place[..slash], () => Vault(place[..slash], place[(slash + 1)..hash], place[(hash + 1)..], cancelled));
    }

    /// <summary>The key to a Vault may lie in another one, never in itself.</summary>
    async Task<string> Apart(string target, Func<Task<string>> read)
    {
        var outer = _asking.Value ?? [];
        if (outer.Contains(target))
            throw new RunbookException($"To read a secret from '{target}', a secret from '{target}' is needed.", "Keep the credentials of a Vault elsewhere: env:NAME or file:/path.");
        _asking.Value = [.. outer, target];
        try
        {
            return await read();
        }
        finally
        {
            _asking.Value = outer;
        }
    }
}
