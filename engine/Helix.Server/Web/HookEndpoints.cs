using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Helix.Runbooks.Model.Triggers;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Server.Triggers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Web;

/// <summary>Marks an endpoint whose requests prove themselves; what a browser sends along by itself proves nothing there.</summary>
sealed record ProvesItself;

/// <summary>What other programs call: <c>POST /hooks/NAME</c>, signed or with a token made for the hook.</summary>
static class HookEndpoints
{
    const int LargestBody = 256 << 10;
    const int MostAlerts = 100;
    public const string TimeHeader = "X-Helix-Timestamp", SignatureHeader = "X-Helix-Signature";

    public static void MapHooks(this IEndpointRouteBuilder app, Site site) =>
        app.MapPost("/hooks/{hook}", (HttpContext http, string hook) => Called(site, http, hook)).WithMetadata(new Open(), new ProvesItself()).ExcludeFromDescription();

    static async Task<IResult> Called(Site site, HttpContext http, string name)
    {
        var address = Door.Address(http);
        if (site.Throttle.Wait(site.Time.GetUtcNow(), Caller(name, address), null) is var wait && wait > TimeSpan.Zero || !site.HookPace.Takes(Caller(name, address), site.Time.GetUtcNow(), out wait))
        {
            site.Accounts.Audit(null, address, "hook " + name, "throttled");
            http.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            return Problem(StatusCodes.Status429TooManyRequests, "Too many calls.");
        }
        if (site.Triggers.Book is { HasErrors: true })
            return Problem(StatusCodes.Status503ServiceUnavailable, "The file of triggers has errors; the page of the triggers lists them.");
        if (site.Triggers.Book?.Value?.Hooks.GetValueOrDefault(name) is not { } hook)
            return Problem(StatusCodes.Status404NotFound, "There is no such hook.");
        if (await Body(http) is not { } body)
        {
            site.Accounts.Audit(null, address, "hook " + name, "refused", "the body is too large");
            return Problem(StatusCodes.Status413PayloadTooLarge, $"A body has at most {LargestBody / 1024} KiB.");
        }
        var by = http.Features.Get<Who>()?.Caller is { Session: null } caller && caller.Hook == name ? caller : null;
        if (await Doubt(site, http, hook, body, by) is { } why)
        {
            site.Throttle.Failed(site.Time.GetUtcNow(), Caller(name, address), null);
            site.Accounts.Audit(null, address, "hook " + name, "refused", why);
            return Problem(StatusCodes.Status401Unauthorized, $"The call proves nothing: {why}.");
        }
        site.Throttle.Succeeded(Caller(name, address), null);
        var (calls, left) = hook.From == HookSource.Alertmanager ? Call.OfAlertmanager(body, MostAlerts) : ([Call.OfBody(body, http.Request.Headers[TimeHeader].ToString())], 0);
        if (left > 0)
            site.Accounts.Audit(by?.Account, address, "hook " + name, "left out", $"{left} alerts beyond the first {MostAlerts}");
        return Results.Json(new { fired = await site.Triggers.Take(hook, calls, by, address), leftOut = left });
    }

    /// <summary>Null: the call is from whom it should be.</summary>
    static async Task<string?> Doubt(Site site, HttpContext http, Hook hook, byte[] body, Caller? by)
    {
        if (hook.From == HookSource.Alertmanager)
            return by is null ? "it needs a token that was made for this hook (Authorization: Bearer …)" : null;
        if (!long.TryParse(http.Request.Headers[TimeHeader], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds > 253_402_300_799)
            return $"{TimeHeader} is no time in seconds since 1970";
        var secret = await site.HookSecrets.Reveal(hook.Secret!, http.RequestAborted);
        var due = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), (byte[])[.. Encoding.ASCII.GetBytes($"{seconds}."), .. body]);
        // Several, while a secret is changed.
        var given = http.Request.Headers[SignatureHeader].ToString().Split(',', StringSplitOptions.TrimEntries).Take(4).Select(Bytes);
        if (!given.Aggregate(false, (any, g) => any | CryptographicOperations.FixedTimeEquals(g, due)))
            return $"{SignatureHeader} is not sha256=HMAC over time, a dot and the body";
        return (site.Time.GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(seconds)).Duration() > hook.Window ? $"it was signed more than {new Duration(hook.Window)} ago, or the clocks differ" : null;
    }

    static byte[] Bytes(string signature)
    {
        try
        {
            return signature.StartsWith("sha256=", StringComparison.Ordinal) ? Convert.FromHexString(signature["sha256=".Length..]) : [];
        }
        catch (FormatException)
        {
            return [];
        }
    }

    /// <summary>Null: it is too large.</summary>
    static async Task<byte[]?> Body(HttpContext http)
    {
        if (http.Request.ContentLength > LargestBody)
            return null;
        var bytes = new byte[LargestBody + 1];
        var length = await http.Request.Body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, http.RequestAborted);
        return length > LargestBody ? null : bytes[..length];
    }

    /// <summary>Who proves nothing from one address keeps nobody else out.</summary>
    static string Caller(string hook, string? address) => $"hook {hook} at {address}";

    static IResult Problem(int status, string title) => Results.Problem(title: title, statusCode: status);
}
