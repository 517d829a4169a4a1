using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Server.Accounts;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Helix.Server.Web;

/// <summary>Marks an endpoint that needs no login.</summary>
sealed record Open;

/// <summary>Marks an endpoint that an open page asks by itself: it does not show that somebody is there.</summary>
sealed record Watches;

/// <summary>Everything that a request must pass before a handler sees it: host, origin, login, the token of its form.</summary>
sealed class Door(Site site)
{
    public const string SessionCookie = "helix_session";
    const string FormField = "_csrf";
    readonly byte[] _key = site.Accounts.Key("forms");

    public async Task Pass(HttpContext http, Func<Task> next)
    {
        Harden(http.Response, site.Settings.IsSecure);
        if (!IsOurHost(http.Request.Host.Host))
            throw new BadHttpRequestException($"This server is not '{http.Request.Host.Host}'. Hint: start it with --public-url when it is reached by another name.");
        var caller = CallerOf(http, seen: http.GetEndpoint()?.Metadata.GetMetadata<Watches>() is null) is var found && found?.Hook is { } hook && http.Request.Path != "/hooks/" + hook ? null : found;
        http.Features.Set(new Who(caller));
        var open = http.GetEndpoint()?.Metadata.GetMetadata<Open>() is not null;
        if (caller is null && !open)
        {
            await AskWho(http);
            return;
        }
        // GET changes nothing, so only the other verbs can be abused.
        if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method) && caller is not { Session: null } && http.GetEndpoint()?.Metadata.GetMetadata<ProvesItself>() is null && await ForgedBy(http, caller) is { } why)
        {
            site.Accounts.Audit(caller?.Account, Address(http), $"{http.Request.Method} {http.Request.Path}", "refused", why);
            throw new RefusedException($"This form did not come from a page of this server ({why}). Load the page again and try once more.");
        }
        await next();
    }

    /// <summary>The hidden field of a form for whoever sees this page.</summary>
    public string FormToken(Caller? caller) => Token(caller?.Session ?? "nobody");

    /// <summary>What the pages of a request need to know of it.</summary>
    public PageFrame Frame(HttpContext http, Caller? caller) => new() { Caller = caller, FormToken = FormToken(caller), Path = http.Request.Path, Now = site.Time.GetUtcNow() };

    /// <summary>Where a request comes from; behind a proxy of this machine, what that says.</summary>
    public static string? Address(HttpContext http) => http.Connection.RemoteIpAddress is { } from && System.Net.IPAddress.IsLoopback(from) && http.Request.Headers["X-Forwarded-For"].ToString() is { Length: > 0 } forwarded
        ? forwarded.Split(',')[^1].Trim()
        : http.Connection.RemoteIpAddress?.ToString();

    /// <summary>Who makes a request that goes on, as that person is now; null when the session is over or the token revoked.</summary>
    public Caller? CallerNow(HttpContext http) => CallerOf(http, seen: false);

    static Caller? BearerOf(HttpContext http, AccountStore accounts, bool seen) =>
        http.Request.Headers.Authorization.ToString() is { Length: > 7 } header && header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? accounts.CallerOfToken(header[7..].Trim(), seen) : null;

    Caller? CallerOf(HttpContext http, bool seen) => BearerOf(http, site.Accounts, seen)
        ?? (http.Request.Cookies.TryGetValue(SessionCookie, out var ticket) && http.Request.Headers.Authorization.Count == 0 ? site.Accounts.CallerOf(ticket, seen) : null);

    async Task AskWho(HttpContext http)
    {
        if (http.Request.Path.StartsWithSegments("/api") || !HttpMethods.IsGet(http.Request.Method))
        {
            http.Response.StatusCode = StatusCodes.Status401Unauthorized;
            http.Response.Headers.WWWAuthenticate = "Bearer";
            await Faults.Write(http, StatusCodes.Status401Unauthorized, "You are not logged in.", "Log in again, or give a token that still holds: Authorization: Bearer …");
            return;
        }
        if (http.Request.Headers.Accept.ToString().Contains("text/event-stream", StringComparison.Ordinal))
        {
            // A page cannot see that its stream was sent to the login, and would come back for ever.
            await Live.Stream.Open(http, site.Time).Send("login", null, new JsonObject());
            return;
        }
        http.Response.Redirect("/login?to=" + Uri.EscapeDataString(http.Request.Path + http.Request.QueryString));
    }

    /// <summary>Null when the request comes from one of our own pages.</summary>
    async Task<string?> ForgedBy(HttpContext http, Caller? caller)
    {
        if (http.Request.Headers.Origin.ToString() is { Length: > 0 } origin && origin != Origin(http))
            return $"it came from {origin}";
        var form = http.Request.HasFormContentType ? await http.Request.ReadFormAsync(http.RequestAborted) : null;
        var given = form?[FormField].ToString() is { Length: > 0 } field ? field : http.Request.Headers["X-Csrf"].ToString();
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), Encoding.UTF8.GetBytes(FormToken(caller))) ? null : "its token is missing or old";
    }

    string Origin(HttpContext http) => site.Settings.PublicUrl?.GetLeftPart(UriPartial.Authority) ?? $"{http.Request.Scheme}://{http.Request.Host}";

    string Token(string session) => Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(session)));

    /// <summary>A page of somebody else's whose name was made to point here (DNS rebinding) gets nothing.</summary>
    bool IsOurHost(string host) =>
        host is "localhost" or "127.0.0.1" or "[::1]" || host == site.Settings.PublicUrl?.Host || host == site.Settings.Listen.Address.ToString() || site.Settings is { UsesTls: true, PublicUrl: null } or { Insecure: true, PublicUrl: null };

    static void Harden(HttpResponse response, bool secure)
    {
        var headers = response.Headers;
        headers.ContentSecurityPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
        if (secure)
            headers.StrictTransportSecurity = "max-age=31536000";
    }
}

/// <summary>Who makes the request, for the handlers.</summary>
sealed record Who(Caller? Caller);

static class WhoOfRequest
{
    /// <summary>Only behind the door, where there is one.</summary>
    public static Caller Caller(this HttpContext http) => http.Features.GetRequiredFeature<Who>().Caller!;
}
