using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Tests.Http;
using Microsoft.AspNetCore.Http;

namespace Helix.Runbooks.Tests.Vault;

/// <summary>
/// A small Vault with a state, written from the vendor's documentation of the HTTP interface: seal, tokens with a life, key-value stores
/// of both versions, logins, snapshots. A stub: what it does is what the documentation says, not what a real Vault was seen to do.
/// </summary>
sealed partial class VaultStub : IDisposable
{
    readonly StubListener _listener;
    readonly Lock _lock = new();

    public VaultStub()
    {
        var port = Ports.Free();
        Url = $"http://127.0.0.1:{port}";
        Tokens["root"] = new StubToken(null);
        _listener = new StubListener(port, Answer);
    }

    public string Url { get; }
    public TimeProvider Clock { get; set; } = TimeProvider.System;
    public List<string> Requests { get; } = [];

    /// <summary>Answers instead of the stub, when it gives anything.</summary>
    public Func<string, (int Status, string Body)?>? Fault { get; set; }

    /// <summary>Awaited before each answer: a slow server.</summary>
    public Func<string, Task>? Before { get; set; }

    /// <summary>Long enough that a test that looks for it finds nothing else.</summary>
    public static string Padded(string token) => $"hvs.canary-{token}";

    async Task Answer(HttpContext context)
    {
        var path = StubListener.Target(context)["/v1/".Length..];
        var body = await StubListener.Body(context);
        if (Before is { } before)
            await before(path);
        int status;
        byte[] bytes;
        lock (_lock)
        {
            Requests.Add($"{context.Request.Method} {path}");
            (status, bytes) = Fault?.Invoke(path) is { } fault
                ? (fault.Status, Encoding.UTF8.GetBytes(fault.Body))
                : Reply(new(context.Request.Method, path, context.Request.Headers["X-Vault-Token"], body));
        }
        await StubListener.Send(context, status, bytes);
    }

    (int Status, byte[] Body) Reply(StubCall call)
    {
        var (status, json) = call.Path switch
        {
            "sys/health" => Health(),
            "sys/seal-status" => (200, SealStatus()),
            "sys/init" => Init(call),
            "sys/unseal" => Unseal(call.Json),
            "sys/leader" => Sealed ? Errors(503, "Vault is sealed") : (200, new JsonObject { ["ha_enabled"] = true, ["leader_address"] = Leader }),
            _ when Sealed => Errors(503, "Vault is sealed"),
            _ when call.Path.StartsWith("auth/", StringComparison.Ordinal) && call.Path.Contains("/login", StringComparison.Ordinal) => Login(call),
            _ when !IsGood(call.Token) => Errors(403, "permission denied"),
            "auth/token/lookup-self" => Lookup(call.Token!),
            "auth/token/renew-self" => Renew(call.Token!),
            "auth/token/revoke-self" => Revoke(call.Token!),
            _ when Forbidden.Any(f => call.Path.StartsWith(f, StringComparison.Ordinal)) => Errors(403, "1 error occurred: * permission denied"),
            "sys/storage/raft/snapshot" when call.Method == "GET" => (-1, null),
            "sys/storage/raft/snapshot" => Restore(call.Body, force: false),
            "sys/storage/raft/snapshot-force" => Restore(call.Body, force: true),
            _ => Kv(call),
        };
        return status == -1 ? (200, SnapshotBytes()) : (status, Encoding.UTF8.GetBytes(json?.ToJsonString() ?? ""));
    }

    static (int, JsonObject?) Errors(int status, params string[] words) =>
        (status, new JsonObject { ["errors"] = new JsonArray([.. words.Select(w => JsonValue.Create(w))]) });

    public void Dispose() => _listener.Dispose();
}

sealed record StubCall(string Method, string Path, string? Token, byte[] Body)
{
    public JsonObject Json => Body.Length == 0 ? [] : JsonNode.Parse(Body)!.AsObject();
}

sealed record StubToken(DateTimeOffset? End, TimeSpan Life = default, bool Renewable = false);
