using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Vault;

/// <summary>Gives shares to one server until its seal opens, and looks after each whether it counted (VLT-01).</summary>
sealed class Unsealing(VaultHttp http, KeyShares shares, StepContext context)
{
    const int MostStarts = 4;

    /// <returns>False when it was not sealed.</returns>
    public async Task<bool> Run()
    {
        var seal = await VaultSeal.Read(http);
        if (!seal.Initialised)
            throw StepFailedException.Conflict($"{http.Name} is not initialised, so there is nothing to unseal.", "vault.init makes its keys; a snapshot is restored after that.");
        if (!seal.Sealed)
            return false;
        if (seal.Type != "shamir")
            throw StepFailedException.Conflict($"{http.Name} is unsealed by {seal.Type} and takes no shares.", "Look why that does not open it: its key, its network, its credentials.");
        for (var start = 1; start <= MostStarts; start++)
            if (await Once())
                return true;
        throw StepFailedException.Transient($"Somebody else unseals {http.Name} at the same time: {MostStarts} times what was given was thrown away.", "Agree on who does it.");
    }

    /// <returns>False when somebody began anew meanwhile, so that what was given does not count any more.</returns>
    async Task<bool> Once()
    {
        var seal = await VaultSeal.Read(http);
        if (!seal.Sealed)
            return true;
        if (seal.Progress > 0)
        {
            context.Log($"{http.Name} has {seal.Progress} shares of somebody else; they are thrown away");
            await Send(new() { ["reset"] = true }, 0);
        }
        string? nonce = null;
        for (var given = 0; ; given++)
        {
            var share = await shares.At(given, $"Share {given + 1} of {seal.Threshold} to unseal {http.Name}") ?? throw StepFailedException.Missing($"{http.Name} stays sealed: {seal.Threshold} shares are needed and {given} were given.", "Name more shares.");
            seal = await Send(new() { ["key"] = share }, given + 1);
            if (!seal.Sealed)
                break;
            if (seal.Progress == given && (nonce is null || seal.Nonce == nonce))
                throw StepFailedException.InvalidData($"Share {given + 1} for {http.Name} is the same as one before it.", "Each holder gives a share of their own.");
            if (seal.Progress != given + 1 || (nonce is not null && seal.Nonce != nonce))
            {
                context.Log($"{http.Name}: somebody began anew; the shares are given again");
                return false;
            }
            nonce = seal.Nonce;
            context.Log($"{http.Name}: {seal.Progress} of {seal.Threshold} shares");
        }
        context.Log($"{http.Name} is unsealed");
        return true;
    }

    async Task<VaultSeal> Send(JsonObject body, int number)
    {
        var answer = await http.Send(HttpMethod.Post, "sys/unseal", body);
        return answer.Status == 400
            ? throw StepFailedException.InvalidData($"{http.Name} refused what {(number == 1 ? "the first share gives" : $"the {number} shares give")}: {answer.Errors}.",
                "One of them is wrong, or of another Vault: after a forced restore the shares of the snapshot's origin count.")
            : VaultSeal.Of(answer, http);
    }
}

/// <summary>Unsealed is not serving yet: a leader must be found first.</summary>
static class Serving
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    public static async Task<VaultHealth> Wait(VaultHttp http, TimeSpan within, StepContext context)
    {
        for (var end = context.Time.GetUtcNow() + within; ;)
        {
            var health = await VaultHealth.Read(http);
            if (await Does(http, health))
                return health;
            if (context.Time.GetUtcNow() >= end)
                throw StepFailedException.Transient($"{http.Name} is {VaultHealth.Words(health.State)} and does not serve after {new Duration(within)}.", "Look at its log: does it find the other nodes?");
            await context.Delay(Pause);
        }
    }

    public static async Task<bool> Does(VaultHttp http, VaultHealth health) => health.State == VaultState.Active || (health.IsOpen && await HasLeader(http));

    static async Task<bool> HasLeader(VaultHttp http) =>
        await http.Send(HttpMethod.Get, "sys/leader") is { Ok: true, Body: { } body } && body["leader_address"]?.ToString() is { Length: > 0 };
}
