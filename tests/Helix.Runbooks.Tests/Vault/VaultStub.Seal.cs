using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Helix.Runbooks.Tests.Vault;

/// <summary>Seal, state and snapshots of the stub.</summary>
sealed partial class VaultStub
{
    readonly List<string> _given = [];

    public bool Initialised { get; set; } = true;
    public bool Sealed { get; set; }
    public bool Standby { get; set; }
    public string Leader { get; set; } = "https://active:8200";
    public string SealType { get; set; } = "shamir";
    public string ClusterId { get; set; } = "cluster-here";

    /// <summary>The shares of this cluster, in plain text.</summary>
    public List<string> Shares { get; set; } = ["share-a", "share-b", "share-c"];
    public int Threshold { get; set; } = 2;
    public string Nonce { get; set; } = "nonce-1";
    public int Progress => _given.Count;

    /// <summary>Somebody else gives a share, or throws away what was given.</summary>
    public void Meddle(bool reset)
    {
        _given.Clear();
        Nonce = $"nonce-{Guid.NewGuid():N}";
        if (!reset)
            _given.Add("of somebody else");
    }

    /// <summary>Called with each share before it counts.</summary>
    public Action<int>? Giving { get; set; }

    /// <summary>The keys that were asked for at the initialisation.</summary>
    public JsonObject? InitBody { get; private set; }

    (int, JsonObject?) Health()
    {
        var status = !Initialised ? 501 : Sealed ? 503 : Standby ? 429 : 200;
        var body = new JsonObject { ["initialized"] = Initialised, ["sealed"] = Sealed, ["standby"] = Standby || Sealed, ["performance_standby"] = false, ["version"] = "1.18.3" };
        if (!Sealed && Initialised)
            (body["cluster_name"], body["cluster_id"]) = ("helix", ClusterId);
        return (status, body);
    }

    JsonObject SealStatus() => new()
    {
        ["type"] = SealType,
        ["initialized"] = Initialised,
        ["sealed"] = Sealed,
        ["t"] = Threshold,
        ["n"] = Shares.Count,
        ["progress"] = Progress,
        ["nonce"] = Progress > 0 ? Nonce : "",
        ["version"] = "1.18.3",
    };

    (int, JsonObject?) Init(StubCall call)
    {
        if (call.Method == "GET")
            return (200, new() { ["initialized"] = Initialised });
        if (Initialised)
            return Errors(400, "Vault is already initialized");
        InitBody = call.Json;
        (Initialised, Sealed) = (true, true);
        var keys = (InitBody["pgp_keys"] ?? InitBody["recovery_pgp_keys"])!.AsArray();
        var form = InitBody.ContainsKey("pgp_keys") ? "keys" : "recovery_keys";
        var encrypted = keys.Select((_, i) => Convert.ToBase64String(Encoding.UTF8.GetBytes($"encrypted share {i}"))).ToList();
        return (200, new() { [$"{form}_base64"] = new JsonArray([.. encrypted.Select(k => JsonValue.Create(k))]), ["root_token"] = Convert.ToBase64String("encrypted root token"u8) });
    }

    (int, JsonObject?) Unseal(JsonObject body)
    {
        if (body["reset"]?.GetValue<bool>() == true)
        {
            _given.Clear();
            return (200, SealStatus());
        }
        Giving?.Invoke(Progress);
        var key = body["key"]!.ToString();
        if (_given.Count == 0)
            Nonce = $"nonce-{Guid.NewGuid():N}";
        if (!_given.Contains(key))
            _given.Add(key);
        if (_given.Count < Threshold)
            return (200, SealStatus());
        var right = _given.All(Shares.Contains);
        _given.Clear();
        if (!right)
            return Errors(400, "Unseal failed, invalid key");
        Sealed = false;
        return (200, SealStatus());
    }

    /// <summary>What a snapshot of now looks like; a test may damage it.</summary>
    public Func<byte[], byte[]> Snapshots { get; set; } = bytes => bytes;

    byte[] SnapshotBytes()
    {
        var state = Encoding.UTF8.GetBytes(new JsonObject { ["cluster"] = ClusterId, ["shares"] = new JsonArray([.. Shares.Select(s => JsonValue.Create(s))]), ["store"] = Dump() }.ToJsonString());
        var meta = Encoding.UTF8.GetBytes($$"""{"Version":1,"ID":"bolt-snapshot","Index":{{_index}},"Term":3,"Size":{{state.Length}}}""");
        return Snapshots(Packed(("meta.json", meta), ("state.bin", state), ("SHA256SUMS", Encoding.ASCII.GetBytes($"{Sum(meta)}  meta.json\n{Sum(state)}  state.bin\n")), ("SHA256SUMS.sealed", "sealed"u8.ToArray())));
    }

    public static byte[] Packed(params IEnumerable<(string Name, byte[] Bytes)> parts)
    {
        using var bytes = new MemoryStream();
        using (var zipped = new GZipStream(bytes, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(zipped))
            foreach (var (name, content) in parts)
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
        return bytes.ToArray();
    }

    public static string Sum(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    (int, JsonObject?) Restore(byte[] bytes, bool force)
    {
        using var tar = new TarReader(new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress));
        JsonObject? state = null;
        while (tar.GetNextEntry() is { } entry)
            if (entry.Name == "state.bin")
                state = JsonNode.Parse(entry.DataStream!)!.AsObject();
        var foreign = state!["cluster"]!.ToString() != ClusterId;
        if (foreign && !force)
            return Errors(400, "could not verify hash file, possibly the snapshot is using a different set of unseal keys; use the snapshot-force API to bypass this check");
        ClusterId = state["cluster"]!.ToString();
        Shares = [.. state["shares"]!.AsArray().Select(s => s!.ToString())];
        Load(state["store"]!.AsObject());
        if (foreign)
        {
            Sealed = true;
            Tokens.Clear();
            Tokens["origin"] = new StubToken(null);
        }
        return (204, null);
    }
}
