using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Vault;

public enum VaultState { Active, Standby, PerformanceStandby, DrSecondary, Sealed, Uninitialised }

/// <summary>How a Vault is. Read from what it says of itself, since status codes can be set otherwise; a failed question is never a state (VLT-01).</summary>
sealed record VaultHealth(VaultState State, string Version, string? ClusterName, string? ClusterId)
{
    public bool IsOpen => State is VaultState.Active or VaultState.Standby or VaultState.PerformanceStandby;

    /// <exception cref="StepFailedException">It does not answer, or what answers is no Vault.</exception>
    public static async Task<VaultHealth> Read(VaultHttp http)
    {
        var answer = await http.Send(HttpMethod.Get, "sys/health");
        return answer.Body is { } body && body["initialized"] is JsonValue
            ? new(StateOf(body), body["version"]?.ToString() ?? "unknown", body["cluster_name"]?.ToString(), body["cluster_id"]?.ToString() is { Length: > 0 } id ? id : null)
            : throw StepFailedException.Transient($"What answers for {http.Name} with status {answer.Status} is no Vault.", "Is there a proxy before it?");
    }

    static VaultState StateOf(JsonObject body) =>
        !Is(body, "initialized") ? VaultState.Uninitialised
        : Is(body, "sealed") ? VaultState.Sealed
        : body["replication_dr_mode"]?.ToString() == "secondary" ? VaultState.DrSecondary
        : Is(body, "performance_standby") ? VaultState.PerformanceStandby
        : Is(body, "standby") ? VaultState.Standby
        : VaultState.Active;

    static bool Is(JsonObject body, string name) => body[name] is JsonValue value && value.TryGetValue<bool>(out var yes) && yes;

    public override string ToString() => $"Vault {Version}, {Words(State)}";

    public static string Words(VaultState state) => state switch
    {
        VaultState.Uninitialised => "not initialised",
        VaultState.PerformanceStandby => "performance standby",
        VaultState.DrSecondary => "secondary for disaster recovery",
        _ => state.ToString().ToLowerInvariant(),
    };
}

/// <summary>The seal: how many shares open it, and how many were given.</summary>
sealed record VaultSeal(bool Sealed, bool Initialised, string Type, int Threshold, int Shares, int Progress, string Nonce)
{
    public static async Task<VaultSeal> Read(VaultHttp http) => Of(await http.Send(HttpMethod.Get, "sys/seal-status"), http);

    public static VaultSeal Of(VaultAnswer answer, VaultHttp http)
    {
        if (!answer.Ok || answer.Body is not { } body || body["sealed"] is null)
            throw StepFailedException.Transient($"{http.Name} does not say how its seal is: {answer.Errors}.");
        return new((bool)body["sealed"]!, (bool?)body["initialized"] ?? true, body["type"]?.ToString() ?? "shamir", Number(body["t"]), Number(body["n"]), Number(body["progress"]), body["nonce"]?.ToString() ?? "");
    }

    static int Number(JsonNode? node) => node is JsonValue value && value.TryGetValue<int>(out var number) ? number : 0;
}
