using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Http;

namespace Helix.Steps.Vault;

/// <summary>Asks with a token, which it renews or gets anew before it runs out (VLT-04).</summary>
sealed class VaultSession(VaultTarget target, PlanContext context) : IAsyncDisposable
{
    readonly VaultToken _token = new(target, context);

    public VaultHttp Http => _token.Http;
    public string Name => Http.Name;
    public VaultTarget Target => target;
    public PlanContext Context => context;

    public async Task<VaultAnswer> Get(string path) => await Send(HttpMethod.Get, path);

    /// <returns>The answer if it is good, or 404; that has a meaning of its own.</returns>
    /// <exception cref="StepFailedException">It refused; the message says whether the token is over or lacks a right.</exception>
    public async Task<VaultAnswer> Send(HttpMethod method, string path, JsonNode? body = null) =>
        await Allowed(path, token => Http.Send(method, path, body?.DeepClone(), token));

    /// <summary>As <see cref="Send"/>, for a file that is read or written on the way.</summary>
    public async Task<VaultAnswer> Allowed(string path, Func<string, Task<VaultAnswer>> ask)
    {
        var answer = await ask(await _token.Value());
        if (answer.Status == 403 && target.LogsIn && await _token.IsOver())
            answer = await ask(await _token.Anew());
        return answer switch
        {
            { Ok: true } or { Status: 404 } => answer,
            { Status: 403 } when await _token.IsOver() => throw _token.Over(),
            { Status: 403 } => throw StepFailedException.Auth($"The token of {Name} is good, but has no right to {path}: {answer.Errors}.", "Add the path to one of its policies."),
            _ => throw Refused(path, answer),
        };
    }

    public Task<string> CheckLife(TimeSpan needed) => _token.CheckLife(needed);

    StepFailedException Refused(string path, VaultAnswer answer) =>
        answer.Status == 503 && answer.Errors.Contains("sealed", StringComparison.OrdinalIgnoreCase)
            ? StepFailedException.Conflict($"{Name} is sealed.", "Unseal it first: vault.unseal.")
            : new(HttpCall.ClassOf(answer.Status), $"{Name} refused {path}: {answer.Errors}.");

    public ValueTask DisposeAsync() => _token.DisposeAsync();
}
