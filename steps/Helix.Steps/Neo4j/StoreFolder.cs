using System.Globalization;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Neo4j;

/// <summary>The files of one database, reached by commands in the service's own image, while the server is stopped.</summary>
sealed class StoreFolder(Neo4jTarget target, string database, StepContext context)
{
    static readonly IReadOnlyList<int> Any = [.. Enumerable.Range(0, 256)];

    /// <summary>The server runs, so commands run inside of it.</summary>
    public bool Inside { get; init; }

    /// <summary>Tells what one round of a step kept from what another one did: each keeps what it found.</summary>
    public string? Round { get; init; }

    string Data => target.Folder.TrimEnd('/');

    /// <summary>From 4.0 the transaction logs lie beside the store, before that in it.</summary>
    string[] Parts => [$"databases/{database}", $"transactions/{database}"];

    /// <summary>Where a store is kept that is replaced; outside of the folder in which the server looks for databases.</summary>
    public string Aside => $"{Data}/helix-before-{context.Run.Id}-{Name(context.Path)}{(Round is null ? "" : $"-{Round}")}";

    /// <summary>A private folder for an archive.</summary>
    public string Staging => $"{Data}/helix-staging-{context.Run.Id}-{Name(context.Path)}";

    static string Name(string path) => new([.. path.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]);

    /// <summary>Moves the store away, which takes no room and no time. What was moved already stays; done twice it is the same.</summary>
    /// <returns>True when there is something in the place where it is kept.</returns>
    public async Task<bool> SetAside() => (await Shell(
        """
        [ -d "$1/databases" ] || { echo "there is no folder $1/databases" >&2; exit 3; }
        for part in "$3" "$4"; do
          [ -e "$2/$part" ] || [ ! -e "$1/$part" ] || { mkdir -p "$(dirname "$2/$part")" && mv "$1/$part" "$2/$part"; } || exit 1
        done
        [ -e "$2" ] && echo kept || echo nothing
        """, [Data, Aside, .. Parts])).Contains("kept", StringComparison.Ordinal);

    /// <summary>The present store goes; the one that was set aside comes back.</summary>
    /// <param name="cutOff">It was tried before: where nothing is kept any more, all of it is back.</param>
    public Task PutBack(bool cutOff) => Shell(
        """
        [ -e "$2" ] || [ "$5" = cut-off ] || { echo "nothing is kept in $2" >&2; exit 3; }
        for part in "$3" "$4"; do
          [ ! -e "$2/$part" ] || { rm -rf "$1/$part" && mv "$2/$part" "$1/$part"; } || exit 1
        done
        rm -rf "$2"
        """, [Data, Aside, .. Parts, cutOff ? "cut-off" : ""]);

    /// <summary>What an interrupted load left.</summary>
    public Task RemovePresent() => Shell("""rm -rf "$1/$2" "$1/$3" """, [Data, .. Parts]);

    public Task MakeStaging() => Shell("""rm -rf "$1" && mkdir -p "$1" """, Staging);

    /// <summary>The command that removes what is kept, for people.</summary>
    public string RemoveAside => $"rm -rf {Aside}   (in the files of {target.Name})";

    /// <summary>Files that belong to somebody else than the server cannot be opened by it.</summary>
    public Task SetOwner(string? owner) => Shell(
        """
        want=${4:-$(stat -c %u:%g "$1/databases")}
        for part in "$2" "$3"; do
          [ -e "$1/$part" ] || continue
          if [ -n "$4" ] || [ "$(stat -c %u:%g "$1/$part")" != "$want" ]; then chown -R "$want" "$1/$part" || exit 1; fi
        done
        """, [Data, .. Parts, owner ?? ""]);

    /// <summary>Free bytes where the data is; null when it cannot be told.</summary>
    public async Task<long?> Free()
    {
        string[] question = ["df", "-Pk", Data];
        var running = (await target.Service.State(context)).Status == RuntimeStatus.Running;
        var result = await (running ? target.Service.Exec(context, question) : target.Service.OneOff(context, question)).Quietly().Accept(Any).Run();
        var fields = result.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault()?.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return result.ExitCode == 0 && fields is { Length: >= 4 } && long.TryParse(fields[^3], NumberStyles.None, CultureInfo.InvariantCulture, out var kilobytes) ? kilobytes << 10 : null;
    }

    public async Task<string> Account() => (await Command("id", "-u").Accept(Any).Run()).Stdout.Trim() is { Length: > 0 } uid ? $"uid {uid}" : "unknown";

    public async Task<string> Owners()
    {
        var result = await Command("stat", "-c", "%n belongs to uid %u, gid %g, mode %a", $"{Data}/{Parts[0]}", $"{Data}/databases").Accept(Any).Run();
        var lines = result.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return lines.Length == 0 ? $"the owner of {Data}/{Parts[0]} cannot be read" : string.Join(", ", lines);
    }

    /// <summary>The one file in the private folder that ends so.</summary>
    public async Task<string> Only(string ending)
    {
        var files = (await Shell("""ls -1 "$1" """, Staging)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(f => f.EndsWith(ending, StringComparison.Ordinal)).ToList();
        return files.Count == 1 ? $"{Staging}/{files[0]}" : throw StepFailedException.InvalidData($"The tool left {files.Count} files {ending} in {Staging} instead of one.");
    }

    /// <summary>A folder below the private one as a tar stream, and back.</summary>
    public Task Pack(string name, Stream to) => (Command("tar", "-c", "-C", Staging, name) with { Output = to }).Run();
    public Task Unpack(Stream from) => (Command("tar", "-x", "-C", Staging) with { Input = from }).Run();

    /// <summary>Never throws: what could not be removed is logged.</summary>
    public async Task Tidy()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), context.Time);
        try
        {
            await target.Service.Remove(context.Until(limit.Token), Staging);
        }
        catch (Exception e) when (e is StepFailedException or OperationCanceledException or RunbookException)
        {
            context.Log($"{Staging} of {target.Name} could not be removed: {e.Message}");
        }
    }

    Tool Command(params IReadOnlyList<string> command) => (Inside ? target.Service.Exec(context, command) : target.Service.OneOff(context, command)).Quietly();

    async Task<string> Shell(string script, params IReadOnlyList<string> arguments)
    {
        var result = await Command(["sh", "-c", script, "sh", .. arguments]).Accept(Any).Run();
        return result.ExitCode == 0 ? result.Stdout : throw StepFailedException.Conflict(
            $"The files of {target.Name} in {Data} could not be changed: {Http.HttpCall.Short(result.Stderr)}",
            result.ExitCode == 3 ? "Is `dataFolder` of the target right?" : "Owner and mode of the folder decide; see `owner`.");
    }
}
