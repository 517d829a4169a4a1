using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Vault;

/// <summary>The rotation of one field. Each part is put on record once it is done, so that a second run goes on after it.</summary>
sealed class Rotation(VaultSession session, RotatedSecret secret, int number, StepContext context)
{
    readonly string _key = $"secret-{number}";

    public string Name => $"{secret.Path.Trim('/')}#{secret.Field}";
    public int Version { get; private set; }

    public async Task Renew()
    {
        var place = await KvPlace.Of(session, secret.Path);
        if (place.Version == 1)
            throw StepFailedException.Conflict($"{place.Path} of {session.Name} keeps no old version: its mount is a key-value store of version 1.", "Without the old value a failed rotation has no way back: `vault kv enable-versioning` first.");
        var now = await KvSecret.Read(session, place);
        var from = Recorded("from") ?? await Record("from", now.Version);
        var old = await ValueOf(place, from);
        if (now.Version == from || IsOld(now, old))
            await Write(now);
        else
            context.Log($"{Name}: version {now.Version} came after version {from}, with which this rotation began, and holds another value; it is the new one");
        var current = await KvSecret.Read(session, place);
        Version = current.Version;
        var value = Hidden(current.Field(secret.Field));
        if (IsOld(current, old))
            throw StepFailedException.Conflict($"{Name} holds its old value in version {Version} again: somebody else wrote it, or what makes the new value gave the same one.", "Look who, then try again; the old version is still there.");
        if (Recorded("told") != Version)
        {
            await Tell(value, old);
            await Record("told", Version);
        }
        await Check(value, from);
        context.Log($"{Name}: version {Version} is in use");
    }

    /// <summary>Last of all: until here the old value is the way back. Whoever wrote another field meanwhile, or rolled back, made a copy of it.</summary>
    public async Task DestroyOld()
    {
        var place = await KvPlace.Of(session, secret.Path);
        var from = Recorded("from")!.Value;
        var (old, versions) = (await ValueOf(place, from), new List<int> { from });
        for (var version = from + 1; version < Version && old is not null; version++)
            if (await ValueOf(place, version) == old)
                versions.Add(version);
        await session.Send(HttpMethod.Post, place.Destroy, new JsonObject { ["versions"] = new JsonArray([.. versions.Select(v => JsonValue.Create(v))]) });
        context.Log($"{Name}: {(versions.Count == 1 ? $"version {from} is" : $"versions {string.Join(", ", versions)} are")} destroyed");
    }

    /// <summary>A later version with the old value is no new one: somebody wrote another field, or rolled back.</summary>
    bool IsOld(KvSecret version, string? old) => version.Data[secret.Field] is null || (old is not null && version.Field(secret.Field) == old);

    async Task Write(KvSecret now)
    {
        var data = (JsonObject)now.Data.DeepClone();
        data[secret.Field] = await NewValue(data[secret.Field]?.ToString() ?? "");
        try
        {
            await session.Send(HttpMethod.Post, now.Place.Data, new JsonObject { ["options"] = new JsonObject { ["cas"] = now.Version }, ["data"] = data });
        }
        catch (StepFailedException e) when (e.Message.Contains("check-and-set", StringComparison.Ordinal))
        {
            throw StepFailedException.Conflict($"Somebody else wrote {now.Name} at the same time; nothing was overwritten.", "Look who, then try again.");
        }
        context.Log($"{Name}: version {now.Version + 1} is written");
    }

    async Task<string> NewValue(string old)
    {
        if (secret.Generate is { } how)
            return Hidden(RandomNumberGenerator.GetString(how.Characters, how.Length));
        var printed = await Command(secret.Command, null, Hidden(old)).Quietly().Run();
        var value = printed.Stdout.TrimEnd('\n', '\r');
        return value.Length > 0 ? Hidden(value) : throw StepFailedException.InvalidData($"{secret.Command[0]} printed no new value for {Name}.");
    }

    /// <returns>Null: the version was destroyed, by the run before this one or by somebody else, or has no such field.</returns>
    async Task<string?> ValueOf(KvPlace place, int version)
    {
        try
        {
            return Hidden((await KvSecret.Read(session, place, version)).Field(secret.Field));
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Missing)
        {
            return null;
        }
    }

    async Task Tell(string value, string? old)
    {
        if (secret.Tell.Count > 0)
            await Command(secret.Tell, value, old).Run();
        if (secret.Restart.Count > 0)
            await new TargetRestart().Run(new() { Targets = secret.Restart }, context);
    }

    async Task Check(string value, int from)
    {
        if (secret.Check.Count == 0)
            return;
        try
        {
            await Command(secret.Check, value, null).Run();
        }
        catch (StepFailedException e) when (e.Failure is not FailureClass.Cancelled)
        {
            throw new StepFailedException(e.Failure, $"The new value of {Name} does not do: {e.Message}",
                $"The old one is still there; the way back is `vault kv rollback -version={from} {secret.Path}`, then tell the dependants. Or put the fault right and try again.", e);
        }
    }

    Tool Command(IReadOnlyList<string> argv, string? value, string? old) => (context.Tool(argv[0], argv.Skip(1)) with { WorkingDirectory = context.Run.BaseDirectory })
        .With("HELIX_NEW_VALUE", value).With("HELIX_OLD_VALUE", old);

    string Hidden(string value)
    {
        context.Hide(value);
        return value;
    }

    int? Recorded(string what) => context.Saved($"{_key}-{what}")?.GetValue<int>();

    async Task<int> Record(string what, int version)
    {
        await context.Save($"{_key}-{what}", version);
        return version;
    }
}
