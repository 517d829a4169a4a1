using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Vault;

/// <summary>The token of one session: where it comes from, how long it lives, when it is renewed.</summary>
sealed class VaultToken(VaultTarget target, PlanContext context) : IAsyncDisposable
{
    string? _value;
    bool _ours;
    bool _renewable;
    TimeSpan _life;
    DateTimeOffset? _end;

    public VaultHttp Http { get; } = new(target, context);

    /// <summary>A token with at least a third of its life before it, where that can be had.</summary>
    public async Task<string> Value()
    {
        if (_value is null)
            await Begin();
        else if (Left is { } left && left < _life / 3)
            await Refresh();
        return _value!;
    }

    public async Task<string> Anew()
    {
        await LogIn();
        return _value!;
    }

    /// <summary>The token itself is not taken any more, whatever it was used for.</summary>
    public async Task<bool> IsOver() => (await Http.Send(HttpMethod.Get, "auth/token/lookup-self", null, _value)).Status == 403;

    public StepFailedException Over() => StepFailedException.Auth(
        $"The token of {Http.Name} has run out, was revoked or never was one.",
        target.LogsIn ? "Is the role still there?" : $"Set a new one behind {target.Token!.References[0]}, or let helix log in: appRole or userpass.");

    /// <summary>Compares what is left with what a run may need.</summary>
    public async Task<string> CheckLife(TimeSpan needed)
    {
        await Value();
        if (target.LogsIn)
            return "logged in";
        if (await IsOver())
            throw Over();
        if (_renewable)
            await Refresh();
        return Left is not { } left ? "its token does not end"
            : left >= needed ? $"its token lives for {new Duration(Whole(left))}"
            : throw StepFailedException.Auth($"The token of {Http.Name} lives for {new Duration(Whole(left))} only, and a run may need it for {new Duration(needed)}.",
                "Give one that lives longer, or let helix log in: appRole or userpass.");
    }

    /// <returns>When to renew it again; null when it cannot be renewed, does not end, or is over.</returns>
    public async Task<TimeSpan?> Renew()
    {
        await Value();
        if (_renewable)
            await Refresh();
        return _renewable && Left is { } left && left > TimeSpan.Zero ? left / 3 : null;
    }

    TimeSpan? Left => _end - context.Time.GetUtcNow();

    async Task Begin()
    {
        if (target.LogsIn)
        {
            await LogIn();
            return;
        }
        _value = await context.Reveal(target.Token ?? throw new RunbookException(
            $"{Http.Name} needs credentials for this and has none.", "Give the target `token`, `appRole` or `userpass`."));
        // Policies may forbid a token to look at itself; then its life is not known, and it may still be good.
        if (await Http.Send(HttpMethod.Get, "auth/token/lookup-self", null, _value) is { Ok: true, Data: { } data })
            Lives(data["ttl"], data["renewable"]);
    }

    async Task LogIn()
    {
        var (path, body) = target switch
        {
            { Token: not null } or { AppRole: not null, Userpass: not null } => throw new RunbookException($"{Http.Name} has more than one of token, appRole and userpass."),
            { AppRole: { } role } => ($"auth/{role.Mount.Trim('/')}/login", new JsonObject { ["role_id"] = await context.Reveal(role.RoleId), ["secret_id"] = await context.Reveal(role.SecretId) }),
            { Userpass: { } user } => ($"auth/{user.Mount.Trim('/')}/login/{Uri.EscapeDataString(user.User)}", new JsonObject { ["password"] = await context.Reveal(user.Password) }),
            _ => throw new InvalidOperationException("no way to log in"),
        };
        var answer = await Http.Send(HttpMethod.Post, path, body);
        if (!answer.Ok || answer.Body?["auth"] is not JsonObject auth || auth["client_token"]?.ToString() is not { Length: > 0 } token)
            throw answer.Status >= 500 && answer.Status != 503
                ? StepFailedException.Transient($"{Http.Name} let nobody log in at {path}: {answer.Errors}.")
                : answer.Status == 503 ? StepFailedException.Conflict($"{Http.Name} is sealed, or cannot serve: {answer.Errors}.", "Unseal it first: vault.unseal.")
                : StepFailedException.Auth($"{Http.Name} refused the login at {path}: {answer.Errors}.");
        context.Hide(token);
        (_value, _ours) = (token, true);
        Lives(auth["lease_duration"], auth["renewable"]);
    }

    async Task Refresh()
    {
        if (_renewable && await Http.Send(HttpMethod.Post, "auth/token/renew-self", new JsonObject(), _value) is { Ok: true, Body: { } body } && body["auth"] is JsonObject auth)
            Lives(auth["lease_duration"], auth["renewable"]);
        if (target.LogsIn && Left < _life / 3)
            await LogIn();
    }

    void Lives(JsonNode? seconds, JsonNode? renewable)
    {
        var life = seconds is JsonValue value && value.TryGetValue<long>(out var whole) ? TimeSpan.FromSeconds(whole) : TimeSpan.Zero;
        _life = life > _life ? life : _life;
        _end = life > TimeSpan.Zero ? context.Time.GetUtcNow() + life : null;
        _renewable = renewable is JsonValue yes && yes.TryGetValue<bool>(out var may) && may;
    }

    static TimeSpan Whole(TimeSpan time) => TimeSpan.FromSeconds(Math.Max(0, Math.Floor(time.TotalSeconds)));

    /// <summary>What was got by a login is given back; what was given stays.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_ours && !context.Cancelled.IsCancellationRequested)
                await Http.Send(HttpMethod.Post, "auth/token/revoke-self", new JsonObject(), _value);
        }
        catch (Exception e) when (e is StepFailedException or OperationCanceledException)
        {
            // It runs out by itself.
        }
        finally
        {
            Http.Dispose();
        }
    }
}
