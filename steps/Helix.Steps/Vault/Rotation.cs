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
        if (now.Version == from)
            await Write(now, from);
        else
            context.Log($"{Name}: version {now.Version} came after version {from}, with which this rotation began; it is the new one");
        var current = await KvSecret.Read(session, place);
        Version = current.Version;
        var (value, old) = (Hidden(current.Field(secret.Field)), await Old(place, from));
        if (Recorded("told") != Version)
        {
            await Tell(value, old);
            await Record("told", Version);
        }
        await Check(value, from);
        context.Log($"{Name}: version {Version} is in use");
    }

    /// <summary>Last of all: until here the old value is the way back.</summary>
    public async Task DestroyOld()
    {
        var place = await KvPlace.Of(session, secret.Path);
        await session.Send(HttpMethod.Post, place.Destroy, new JsonObject { ["versions"] = new JsonArray(Recorded("from")!.Value) });
        context.Log($"{Name}: version {Recorded("from")} is destroyed");
    }

    async Task Write(KvSecret now, int from)
    {
        var data = (JsonObject)now.Data.DeepClone();
        data[secret.Field] = await NewValue(data[secret.Field]?.ToString() ?? "");
        try
        {
            await session.Send(HttpMethod.Post, now.Place.Data, new JsonObject { ["options"] = new JsonObject { ["cas"] = from }, ["data"] = data });
        }
        catch (StepFailedException e) when (e.Message.Contains("check-and-set", StringComparison.Ordinal))
        {
            throw StepFailedException.Conflict($"Somebody else wrote {now.Name} at the same time; nothing was overwritten.", "Look who, then try again.");
        }
        context.Log($"{Name}: version {from + 1} is written");
    }

    async Task<string> NewValue(string old)
    {
        if (secret.Generate is { } how)
            return Hidden(RandomNumberGenerator.GetString(how.Characters, how.Length));
        var printed = await Command(secret.Command, null, Hidden(old)).Quietly().Run();
        var value = printed.Stdout.TrimEnd('\n', '\r');
        return value.Length > 0 ? Hidden(value) : throw StepFailedException.InvalidData($"{secret.Command[0]} printed no new value for {Name}.");
    }

    async Task<string?> Old(KvPlace place, int from)
    {
        try
        {
            return Hidden((await KvSecret.Read(session, place, from)).Field(secret.Field));
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Missing)
        {
            return null; // a second run after the old version was destroyed
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
