using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model.SignOns;
using Helix.Runbooks.Steps;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Helix.Server.SignOns;

/// <summary>Somebody for whom the provider vouches.</summary>
/// <param name="Subject">What never changes.</param>
/// <param name="Name">What people read.</param>
sealed record Vouched(string Subject, string Name, IReadOnlyList<string> Groups);

/// <summary>It vouches for nobody: the sign-on ends here, with the reason.</summary>
sealed class SignOnRefusedException(string message, bool unreachable = false) : Exception(message)
{
    /// <summary>The provider does not answer, so nobody can sign on through it now.</summary>
    public bool Unreachable => unreachable;
}

/// <summary>An OpenID Connect provider: where to send people, and who they are when they come back with a code.</summary>
sealed class Provider : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    readonly SignOn _settings;
    readonly HttpClient _client;
    readonly TokenCheck _check;
    readonly SecretSources _secrets;
    readonly ConfigurationManager<OpenIdConnectConfiguration> _metadata;

    public Provider(SignOn settings, TimeProvider time, TimeSpan? patience)
    {
        _settings = settings;
        _client = HttpClients.For(new HttpSettings { CaFile = settings.CaFile, Timeout = patience ?? Patience, ConnectTimeout = patience ?? Patience, FollowRedirects = false });
        _check = new TokenCheck(settings, time);
        _secrets = new SecretSources(new Masker()) { BaseDirectory = settings.BaseDirectory };
        _metadata = new ConfigurationManager<OpenIdConnectConfiguration>(
            settings.Issuer.TrimEnd('/') + "/.well-known/openid-configuration", new OpenIdConnectConfigurationRetriever(), new HttpDocumentRetriever(_client) { RequireHttps = settings.Issuer.StartsWith("https:", StringComparison.Ordinal) });
    }

    /// <summary>The page of the provider on which people say who they are.</summary>
    public async Task<string> PageFor(PendingSignOn pending, Uri comesBack, CancellationToken cancelled)
    {
        var metadata = await Metadata(cancelled);
        return new OpenIdConnectMessage
        {
            IssuerAddress = metadata.AuthorizationEndpoint,
            ClientId = _settings.ClientId,
            ResponseType = OpenIdConnectResponseType.Code,
            RedirectUri = comesBack.ToString(),
            Scope = string.Join(' ', _settings.Scopes),
            State = pending.State,
            Nonce = pending.Nonce,
            Parameters = { ["code_challenge"] = pending.Challenge, ["code_challenge_method"] = "S256" },
        }.CreateAuthenticationRequestUrl();
    }

    /// <summary>Where somebody is logged out of the provider too; null when it has no such page or does not answer.</summary>
    public async Task<string?> PageForLeaving(Uri comesBack, CancellationToken cancelled)
    {
        var end = (await Metadata(cancelled)).EndSessionEndpoint;
        return string.IsNullOrEmpty(end) ? null : $"{end}{(end.Contains('?', StringComparison.Ordinal) ? '&' : '?')}client_id={Uri.EscapeDataString(_settings.ClientId)}&post_logout_redirect_uri={Uri.EscapeDataString(comesBack.ToString())}";
    }

    /// <summary>Changes the code for tokens, and believes them only after all checks.</summary>
    /// <param name="issuer">As the answer names it (RFC 9207), where it does.</param>
    public async Task<Vouched> Redeem(string code, string? issuer, PendingSignOn pending, Uri comesBack, CancellationToken cancelled)
    {
        var metadata = await Metadata(cancelled);
        if (issuer is not null && issuer != metadata.Issuer)
            throw new SignOnRefusedException($"The answer came from '{issuer}' and not from {metadata.Issuer}.");
        var answer = new OpenIdConnectMessage(await Tokens(metadata, code, pending, comesBack, cancelled));
        JsonObject claims;
        try
        {
            claims = await _check.Claims(answer, metadata, pending.Nonce);
        }
        catch (SecurityTokenSignatureKeyNotFoundException)
        {
            // It may have changed its keys since they were read.
            _metadata.RequestRefresh();
            claims = await _check.Claims(answer, await Metadata(cancelled), pending.Nonce, last: true);
        }
        if ((claims[_settings.AccountClaim] is null || claims[_settings.GroupsClaim] is null) && !string.IsNullOrEmpty(metadata.UserInfoEndpoint) && answer.AccessToken is { Length: > 0 } token)
            await AddMore(claims, metadata.UserInfoEndpoint, token, cancelled);
        return new Vouched(Text(claims["sub"])!, Text(claims[_settings.AccountClaim]) ?? Text(claims["sub"])!, List(claims[_settings.GroupsClaim]));
    }

    async Task<OpenIdConnectConfiguration> Metadata(CancellationToken cancelled)
    {
        try
        {
            var metadata = await _metadata.GetConfigurationAsync(cancelled);
            return metadata.Issuer?.TrimEnd('/') == _settings.Issuer.TrimEnd('/') ? metadata
                : throw new SignOnRefusedException($"The provider at {_settings.Issuer} calls itself '{metadata.Issuer}'.");
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or HttpRequestException or TaskCanceledException && !cancelled.IsCancellationRequested)
        {
            throw new SignOnRefusedException($"The provider {_settings.Issuer} does not answer.", unreachable: true);
        }
    }

    async Task<string> Tokens(OpenIdConnectConfiguration metadata, string code, PendingSignOn pending, Uri comesBack, CancellationToken cancelled)
    {
        var fields = new Dictionary<string, string> { ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = comesBack.ToString(), ["code_verifier"] = pending.Verifier, ["client_id"] = _settings.ClientId };
        using var request = new HttpRequestMessage(HttpMethod.Post, metadata.TokenEndpoint);
        if (_settings.ClientSecret is { } secret)
            Prove(request, fields, metadata, await _secrets.Reveal(secret, cancelled));
        request.Content = new FormUrlEncodedContent(fields);
        var (ok, text) = await Send(request, cancelled);
        return ok ? text : throw new SignOnRefusedException($"The provider gave no tokens: {Text(Parsed(text)?["error_description"]) ?? Text(Parsed(text)?["error"]) ?? "it did not say why"}.");
    }

    /// <summary>RFC 6749, 2.3.1: in the header unless the provider takes it in the form alone.</summary>
    void Prove(HttpRequestMessage request, Dictionary<string, string> fields, OpenIdConnectConfiguration metadata, string secret)
    {
        var ways = metadata.TokenEndpointAuthMethodsSupported;
        if (ways.Count > 0 && !ways.Contains("client_secret_basic") && ways.Contains("client_secret_post"))
            fields["client_secret"] = secret;
        else
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(_settings.ClientId)}:{Uri.EscapeDataString(secret)}")));
    }

    /// <summary>Some providers say only at a further address who is in which group.</summary>
    async Task AddMore(JsonObject claims, string address, string token, CancellationToken cancelled)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        var (ok, text) = await Send(request, cancelled);
        if (!ok || Parsed(text) is not { } more || Text(more["sub"]) != Text(claims["sub"]))
            return;
        foreach (var (name, value) in more)
            if (claims[name] is null)
                claims[name] = value?.DeepClone();
    }

    async Task<(bool Ok, string Text)> Send(HttpRequestMessage request, CancellationToken cancelled)
    {
        try
        {
            using var response = await _client.SendAsync(request, cancelled);
            return (response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(cancelled));
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancelled.IsCancellationRequested)
        {
            throw new SignOnRefusedException($"The provider {_settings.Issuer} does not answer.", unreachable: true);
        }
    }

    static JsonObject? Parsed(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0 ? text : null;

    static List<string> List(JsonNode? node) => [.. (node is JsonArray many ? many : [node?.DeepClone()]).Select(Text).OfType<string>()];

    public void Dispose() => _client.Dispose();
}
