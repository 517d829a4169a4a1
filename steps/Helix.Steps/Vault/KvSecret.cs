using System.Globalization;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Vault;

/// <summary>Where a path leads: the mount that holds it, and which of the two kinds of key-value store that is (VLT-03).</summary>
sealed record KvPlace(string Mount, string Rest, int Version)
{
    public string Path => Mount + Rest;
    public string Data => Version == 2 ? $"{Mount}data/{Rest}" : Path;
    public string Metadata => $"{Mount}metadata/{Rest}";
    public string Destroy => $"{Mount}destroy/{Rest}";

    public static async Task<KvPlace> Of(VaultSession session, string path)
    {
        var clean = path.Trim('/');
        if (clean.Length == 0)
            throw new RunbookException($"A path in {session.Name} is empty.", "It is written mount/path, as secret/helix.");
        var answer = await MountOf(session, clean);
        var data = answer.Data ?? answer.Body;
        if (answer.Status == 404 || data?["path"]?.ToString() is not { Length: > 0 } mount)
            throw StepFailedException.Missing($"Nothing is mounted in {session.Name} at {clean}.", "The first part of the path is the mount, as `vault secrets list` shows it.");
        if (data["type"]?.ToString() is not ("kv" or "generic" or null))
            throw StepFailedException.InvalidData($"What is mounted in {session.Name} at {mount} is no key-value store but {data["type"]}.");
        if (clean.Length <= mount.TrimEnd('/').Length)
            throw new RunbookException($"The path {clean} names a mount of {session.Name} and no secret in it.", "It is written mount/path, as secret/helix.");
        return new(mount, Escaped(clean[mount.Length..]), (data["options"] as JsonObject)?["version"]?.ToString() == "2" ? 2 : 1);
    }

    static async Task<VaultAnswer> MountOf(VaultSession session, string path)
    {
        try
        {
            return await session.Get($"sys/internal/ui/mounts/{Escaped(path)}");
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Auth && e.Message.Contains("preflight", StringComparison.Ordinal))
        {
            // Vault's word for both: no such mount, and none that this token may see.
            throw StepFailedException.Auth($"The token of {session.Name} is good, but sees nothing at {path}.", "Is the path right? Its first part is the mount, as `vault secrets list` shows it. Else a policy must allow it.");
        }
    }

    static string Escaped(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
}

/// <summary>One secret as it was read.</summary>
sealed record KvSecret(string Name, KvPlace Place, JsonObject Data, int Version, DateTimeOffset? Created)
{
    public static async Task<KvSecret> Read(VaultSession session, string path, int? version = null)
    {
        var place = await KvPlace.Of(session, path);
        if (version is not null && place.Version == 1)
            throw new RunbookException($"{place.Path} of {session.Name} has no versions: its mount is a key-value store of version 1.");
        return await Read(session, place, version);
    }

    public static async Task<KvSecret> Read(VaultSession session, KvPlace place, int? version = null)
    {
        var name = $"{place.Path} of {session.Name}";
        var answer = await session.Get(place.Data + (version is { } v ? $"?version={v.ToString(CultureInfo.InvariantCulture)}" : ""));
        if (place.Version == 1)
            return new(name, place, answer.Ok && answer.Data is { } plain ? plain : throw NotThere(place, name), 0, null);
        var metadata = answer.Data?["metadata"] as JsonObject;
        if (answer.Ok && answer.Data?["data"] is JsonObject data)
            return new(name, place, data, (int)metadata!["version"]!, DateTimeOffset.Parse(metadata["created_time"]!.ToString(), CultureInfo.InvariantCulture));
        throw metadata is null ? NotThere(place, name)
            : StepFailedException.Missing($"Version {metadata["version"]} of {name} was {(metadata["destroyed"]?.ToString() == "true" ? "destroyed" : $"deleted at {metadata["deletion_time"]}")}.",
                "An earlier version may still be there: `vault kv metadata get`.");
    }

    /// <exception cref="StepFailedException">There is no such field, or it is empty.</exception>
    public string Field(string field)
    {
        if (!Data.TryGetPropertyValue(field, out var node) || node is null)
            throw StepFailedException.Missing($"{Name} has no field '{field}'.", $"Fields there: {string.Join(", ", Data.Select(d => d.Key))}.");
        var value = node is JsonValue plain && plain.TryGetValue<string>(out var text) ? text : node.ToJsonString();
        return value.Length > 0 ? value : throw StepFailedException.InvalidData($"The field '{field}' of {Name} is empty.");
    }

    static StepFailedException NotThere(KvPlace place, string name) => StepFailedException.Missing($"There is no secret {name}.",
        place is { Version: 2, Rest: var rest } && rest.StartsWith("data/", StringComparison.Ordinal) ? "Leave `data/` away: it is added where the mount needs it." : null);
}
