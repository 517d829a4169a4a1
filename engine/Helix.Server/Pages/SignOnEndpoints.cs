using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using Helix.Server.SignOns;
using Helix.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Pages;

/// <summary>To the identity provider and back. Whoever it cannot vouch for gets the login page with the reason; accounts of this server go on working.</summary>
static class SignOnEndpoints
{
    const string Cookie = "helix_signon";
    const string Callback = "/login/oidc/callback";

    public static void MapSignOn(this IEndpointRouteBuilder app, Site site)
    {
        if (site.Provider is not { } provider)
            return;
        app.MapGet("/login/oidc", http => Guarded(site, http, () => Go(site, provider, http))).WithMetadata(new Open());
        app.MapGet(Callback, http => Guarded(site, http, () => ComeBack(site, provider, http))).WithMetadata(new Open());
        app.MapGet("/login/oidc/leave", http => Guarded(site, http, () => Leave(site, provider, http))).WithMetadata(new Open());
    }

    static async Task Go(Site site, Provider provider, HttpContext http)
    {
        var pending = PendingSignOn.New(LoginEndpoints.Inside(http.Request.Query["to"]), site.Time);
        var page = await provider.PageFor(pending, new Uri(site.Address, Callback), http.RequestAborted);
        http.Response.Cookies.Append(Cookie, pending.ToCookie(site.Accounts.Key("sign-on")), Options(site, pending.Until));
        http.Response.Redirect(page);
    }

    static async Task ComeBack(Site site, Provider provider, HttpContext http)
    {
        var query = http.Request.Query;
        var pending = PendingSignOn.Of(http.Request.Cookies[Cookie], site.Accounts.Key("sign-on"), query["state"].ToString(), site.Time)
            ?? throw new SignOnRefusedException($"This sign-on did not begin in this browser, or took longer than ten minutes. Begin again, at {site.Address}.");
        http.Response.Cookies.Delete(Cookie, Options(site, null));
        if (query["error"].ToString() is { Length: > 0 } error)
            throw new SignOnRefusedException($"The provider refused: {Short(query["error_description"].ToString() is { Length: > 0 } words ? words : error)}.");
        var who = await provider.Redeem(query["code"].ToString(), query["iss"].ToString() is { Length: > 0 } issuer ? issuer : null, pending, new Uri(site.Address, Callback), http.RequestAborted);
        var account = site.Accounts.SignedOn(who);
        LoginEndpoints.Enter(site, http, account.Name, IdentityStrength.Oidc);
        http.Response.Redirect(pending.To);
    }

    static async Task Leave(Site site, Provider provider, HttpContext http) =>
        http.Response.Redirect(await provider.PageForLeaving(new Uri(site.Address, "/login"), http.RequestAborted) ?? "/login");

    static async Task Guarded(Site site, HttpContext http, Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (Exception e) when (e is SignOnRefusedException or StepFailedException)
        {
            var unreachable = e is SignOnRefusedException { Unreachable: true };
            // A secret that is not there is no secret from whoever started the server.
            var why = e is StepFailedException ? "This server has not the secret with which it proves itself to the provider." : e.Message;
            site.Accounts.Audit(null, Door.Address(http), "sign-on", unreachable ? "unreachable" : "refused", e.Message);
            if (e is StepFailedException or SignOnRefusedException { Unreachable: true })
                site.Say($"Sign-on: {e.Message}");
            http.Response.StatusCode = unreachable ? StatusCodes.Status502BadGateway : e is StepFailedException ? StatusCodes.Status500InternalServerError : StatusCodes.Status403Forbidden;
            await LoginEndpoints.Page(site, http, new Login("/runs", null, unreachable ? $"{why} Accounts of this server can log in meanwhile." : why));
        }
    }

    static CookieOptions Options(Site site, DateTimeOffset? until) => new() { HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = site.Settings.IsSecure, Path = "/login/oidc", Expires = until };

    static string Short(string text) => text.Length > 200 ? text[..200] + "…" : text;
}
