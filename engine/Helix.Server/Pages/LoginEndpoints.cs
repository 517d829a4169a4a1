using Helix.Runbooks.Journal;
using Helix.Server.Accounts;
using Helix.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Pages;

/// <param name="Button">Of the identity provider, when there is one.</param>
public sealed record Login(string To, string? Account, string? Fault, string? Button = null, bool Left = false);

/// <summary>In and out.</summary>
static class LoginEndpoints
{
    public static void MapLogin(this IEndpointRouteBuilder app, Site site)
    {
        app.MapGet("/", http => { http.Response.Redirect("/ready"); return Task.CompletedTask; });
        app.MapGet("/login", http => Page(site, http, new Login(Inside(http.Request.Query["to"]), null, null, Left: http.Request.Query.ContainsKey("left")))).WithMetadata(new Open());
        app.MapPost("/login", http => LogIn(site, http)).WithMetadata(new Open());
        app.MapPost("/logout", http => LogOut(site, http));
        app.MapSetup(site);
        app.MapSignOn(site);
    }

    public static Task Page(Site site, HttpContext http, Login login) => Render.Page<LoginPage>(http, null, login with { Button = site.Accounts.SignOn?.Button });

    static async Task LogIn(Site site, HttpContext http)
    {
        var form = await http.Request.ReadFormAsync();
        var (account, to, address) = (form["account"].ToString().Trim(), Inside(form["to"]), Door.Address(http));
        var now = site.Time.GetUtcNow();
        if (site.Throttle.Wait(now, account, address) is var wait && wait > TimeSpan.Zero)
        {
            site.Accounts.Audit(account, address, "login", "throttled");
            http.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString();
            http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            await Page(site, http, new Login(to, account, $"Too many wrong passwords. Try again in {Math.Ceiling(wait.TotalSeconds):0} s."));
            return;
        }
        if (site.Accounts.Check(account, form["password"].ToString()) is not { } found)
        {
            site.Throttle.Failed(now, account, address);
            site.Accounts.Audit(account, address, "login", "refused", "wrong account or password");
            http.Response.StatusCode = StatusCodes.Status401Unauthorized;
            await Page(site, http, new Login(to, account, "There is no such account with this password."));
            return;
        }
        site.Throttle.Succeeded(account, address);
        Enter(site, http, found.Name);
        http.Response.Redirect(to);
    }

    public static void Enter(Site site, HttpContext http, string account, IdentityStrength strength = IdentityStrength.Password)
    {
        site.Accounts.Audit(account, Door.Address(http), "login", "done", strength == IdentityStrength.Oidc ? $"vouched for by {site.Accounts.SignOn!.Issuer}" : "");
        http.Response.Cookies.Append(Door.SessionCookie, site.Accounts.Open(account, strength), new CookieOptions
        {
            HttpOnly = true,
            // Strict would send who follows the link of a message to the login page.
            SameSite = SameSiteMode.Lax,
            Secure = site.Settings.IsSecure,
            Path = "/",
        });
    }

    static Task LogOut(Site site, HttpContext http)
    {
        if (http.Caller().Session is { } session)
            site.Accounts.Close(session);
        http.Response.Cookies.Delete(Door.SessionCookie);
        http.Response.Redirect(http.Caller().Strength == IdentityStrength.Oidc ? "/login?left" : "/login");
        return Task.CompletedTask;
    }

    /// <summary>A login leads to pages of this server only. Browsers drop control characters from an address, and take a backslash for a slash.</summary>
    public static string Inside(string? to) => to is ['/', not '/', ..] && !to.Any(c => c == '\\' || char.IsControl(c)) ? to : "/runs";
}
