using System.Globalization;
using System.Text.Json.Nodes;

namespace Helix.Runbooks.Tests.Vault;

/// <summary>Tokens and key-value stores of the stub: `secret/` has version 2, `old/` version 1.</summary>
sealed partial class VaultStub
{
    readonly Dictionary<string, List<JsonObject?>> _versions = [];
    readonly Dictionary<string, JsonObject> _plain = [];
    int _index = 40;

    public Dictionary<string, StubToken> Tokens { get; } = [];
    public List<string> Forbidden { get; } = [];

    /// <summary>Life of the tokens that a login gives.</summary>
    public TimeSpan LoginLife { get; set; } = TimeSpan.FromHours(1);
    public bool LoginRenewable { get; set; }
    public int Logins { get; private set; }

    public void Write(string path, JsonObject data)
    {
        if (path.StartsWith("old/", StringComparison.Ordinal))
            _plain[path] = data;
        else if (_versions.TryGetValue(path, out var list))
            list.Add(data);
        else
            _versions[path] = [data];
        _index++;
    }

    /// <summary>The newest value of a field; null when it is not there.</summary>
    public string? Value(string path, string field) => (_plain.GetValueOrDefault(path) ?? _versions.GetValueOrDefault(path)?[^1])?[field]?.ToString();

    public int Versions(string path) => _versions[path].Count;
    public bool IsDestroyed(string path, int version) => _versions[path][version - 1] is null;
    public void Empty() => _versions.Clear();

    (int, JsonObject?) Kv(StubCall call)
    {
        var (path, query) = call.Path.Split('?', 2) is [var p, var q] ? (p, q) : (call.Path, "");
        if (path.StartsWith("sys/internal/ui/mounts/", StringComparison.Ordinal))
            return Mount(path["sys/internal/ui/mounts/".Length..]);
        if (path.StartsWith("old/", StringComparison.Ordinal))
            return _plain.TryGetValue(path, out var plain) ? (200, new() { ["data"] = plain.DeepClone() }) : Errors(404);
        if (!path.StartsWith("secret/", StringComparison.Ordinal) || path.Split('/', 3) is not [_, var verb, var name])
            return Errors(404, $"no handler for route {path}");
        return (verb, call.Method) switch
        {
            ("data", "GET") => Read($"secret/{name}", query.StartsWith("version=", StringComparison.Ordinal) ? int.Parse(query["version=".Length..], CultureInfo.InvariantCulture) : null),
            ("data", _) => Add($"secret/{name}", call.Json),
            ("destroy", _) => Destroy($"secret/{name}", call.Json),
            _ => Errors(404),
        };
    }

    static (int, JsonObject?) Mount(string path) => path.Split('/')[0] switch
    {
        "secret" => (200, new() { ["data"] = new JsonObject { ["path"] = "secret/", ["type"] = "kv", ["options"] = new JsonObject { ["version"] = "2" } } }),
        "old" => (200, new() { ["data"] = new JsonObject { ["path"] = "old/", ["type"] = "kv", ["options"] = null } }),
        "pki" => (200, new() { ["data"] = new JsonObject { ["path"] = "pki/", ["type"] = "pki" } }),
        _ => Errors(403, "preflight capability check returned 403, please ensure client's policies grant access to path"),
    };

    (int, JsonObject?) Read(string path, int? version)
    {
        if (!_versions.TryGetValue(path, out var list) || version > list.Count)
            return Errors(404);
        var number = version ?? list.Count;
        var gone = list[number - 1] is null;
        var metadata = new JsonObject { ["version"] = number, ["created_time"] = "2026-01-02T03:04:05Z", ["destroyed"] = gone, ["deletion_time"] = "" };
        return (gone ? 404 : 200, new() { ["data"] = new JsonObject { ["data"] = list[number - 1]?.DeepClone(), ["metadata"] = metadata } });
    }

    (int, JsonObject?) Add(string path, JsonObject body)
    {
        var count = _versions.GetValueOrDefault(path)?.Count ?? 0;
        if (body["options"]?["cas"]?.GetValue<int>() is { } expected && expected != count)
            return Errors(400, "check-and-set parameter did not match the current version");
        Write(path, body["data"]!.DeepClone().AsObject());
        return (200, new() { ["data"] = new JsonObject { ["version"] = count + 1 } });
    }

    (int, JsonObject?) Destroy(string path, JsonObject body)
    {
        foreach (var version in body["versions"]!.AsArray())
            _versions[path][version!.GetValue<int>() - 1] = null;
        return (204, null);
    }

    JsonObject Dump() => new(_versions.Select(v => KeyValuePair.Create(v.Key, (JsonNode?)new JsonArray([.. v.Value.Select(d => d?.DeepClone())]))));

    void Load(JsonObject store)
    {
        _versions.Clear();
        foreach (var (path, list) in store)
            _versions[path] = [.. list!.AsArray().Select(d => d?.DeepClone().AsObject())];
    }

    bool IsGood(string? token) => token is not null && Tokens.TryGetValue(Short(token), out var known) && (known.End is null || known.End > Clock.GetUtcNow());

    static string Short(string token) => token.Replace("hvs.canary-", "", StringComparison.Ordinal);

    (int, JsonObject?) Lookup(string token)
    {
        var known = Tokens[Short(token)];
        return (200, new() { ["data"] = new JsonObject { ["ttl"] = known.End is { } end ? (long)(end - Clock.GetUtcNow()).TotalSeconds : 0, ["renewable"] = known.Renewable } });
    }

    (int, JsonObject?) Renew(string token)
    {
        var known = Tokens[Short(token)];
        if (!known.Renewable)
            return Errors(400, "lease is not renewable");
        Tokens[Short(token)] = known with { End = Clock.GetUtcNow() + known.Life };
        return (200, new() { ["auth"] = new JsonObject { ["client_token"] = token, ["lease_duration"] = (long)known.Life.TotalSeconds, ["renewable"] = true } });
    }

    (int, JsonObject?) Revoke(string token)
    {
        Tokens.Remove(Short(token));
        return (204, null);
    }

    (int, JsonObject?) Login(StubCall call)
    {
        var right = call.Path == "auth/approle/login" ? call.Json["secret_id"]?.ToString().StartsWith("hvs.canary-", StringComparison.Ordinal) : call.Json["password"]?.ToString().StartsWith("hvs.canary-", StringComparison.Ordinal);
        if (right != true)
            return Errors(400, "invalid role or secret ID");
        var token = $"login-{++Logins}";
        Tokens[token] = new(Clock.GetUtcNow() + LoginLife, LoginLife, LoginRenewable);
        return (200, new() { ["auth"] = new JsonObject { ["client_token"] = Padded(token), ["lease_duration"] = (long)LoginLife.TotalSeconds, ["renewable"] = LoginRenewable } });
    }
}
