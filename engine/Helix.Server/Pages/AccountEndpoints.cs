using Helix.Runbooks.Model.Triggers;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Pages;

/// <param name="Link">A fresh invitation, to be handed over; shown once.</param>
/// <param name="Issuer">Of the identity provider, when there is one.</param>
/// <param name="Sent">A form of the page that was refused: where it went, and as it was.</param>
public sealed record AccountsModel(IReadOnlyList<Account> Accounts, IReadOnlyList<string> Environments, (string Account, Uri Url)? Link, string? Issuer, (string Path, Typed Typed, Fault Refused)? Sent)
{
    public bool WasSent(string path) => Sent?.Path == path;
    public string? Typed(string path, string field, string? before = null) => WasSent(path) ? Sent!.Value.Typed[field] : before;
}

/// <param name="Token">A fresh token; shown once.</param>
/// <param name="Hooks">For which tokens can be made.</param>
public sealed record AccountModel(Account Account, IReadOnlyList<ApiToken> Tokens, string? Token, string? Said, IReadOnlyList<string> Hooks);

/// <summary>Who may do what; and everybody's own password and tokens.</summary>
static class AccountEndpoints
{
    public static void MapAccounts(this IEndpointRouteBuilder app, Site site)
    {
        app.MapGet("/accounts", http => Admin(http, () => Page(site, http, null, null)));
        app.MapPost("/accounts", http => Change(site, http, Add));
        app.MapPost("/accounts/{account}/grants", http => Change(site, http, SetGrants));
        app.MapPost("/accounts/{account}/names", http => Change(site, http, SetNames));
        app.MapPost("/accounts/{account}/invite", http => Change(site, http, (s, h, form) => Route(h)));
        app.MapPost("/accounts/{account}/disable", http => Change(site, http, Disable));
        app.MapGet("/account", http => Own(site, http, null, null));
        app.MapPost("/account/password", http => ChangePassword(site, http));
        app.MapPost("/account/tokens", http => NewToken(site, http));
        app.MapPost("/account/tokens/{id}/revoke", http => Revoke(site, http));
    }

    static Task Admin(HttpContext http, Func<Task> action) =>
        http.Caller().IsAdmin ? action() : throw new RefusedException("Accounts are kept by administrators.");

    static Task Page(Site site, HttpContext http, string? invited, (string, Typed, Fault)? sent) => Render.Page<AccountsPage>(http, http.Caller(), new AccountsModel(
        site.Accounts.All(), site.Library.Environments, invited is null ? null : (invited, new Uri(site.Address, "/invitation/" + site.Accounts.Invite(invited))), site.Accounts.SignOn?.Issuer, sent));

    /// <param name="change">Gives the account that is to be invited, or null.</param>
    static Task Change(Site site, HttpContext http, Func<Site, HttpContext, IFormCollection, string?> change) => Admin(http, async () =>
    {
        var form = await http.Request.ReadFormAsync();
        try
        {
            var invited = change(site, http, form);
            site.Accounts.Audit(http.Caller().Account, Door.Address(http), $"{http.Request.Path}", "done", form["name"] + string.Join(' ', form["grant"].Concat(form["known"]).Concat(form["disabled"])));
            // A link is shown once, so its page is the answer itself.
            if (invited is null)
                http.Response.Redirect("/accounts");
            else
                await Page(site, http, invited, null);
        }
        catch (Exception e) when (Faults.Mendable(http, e) is { } refused)
        {
            http.Response.StatusCode = refused.Status;
            await Page(site, http, null, (http.Request.Path, new Typed(form), refused));
        }
    });

    static string Add(Site site, HttpContext http, IFormCollection form)
    {
        var name = form["name"].ToString().Trim();
        site.Accounts.Add(name, Grants(form));
        return name;
    }

    static string? SetGrants(Site site, HttpContext http, IFormCollection form)
    {
        var account = Known(site, Route(http));
        var grants = Grants(form);
        if (account.Name == http.Caller().Account && !grants.Any(g => g is { Role: Role.Admin, Environment: Grant.Everywhere }))
            throw new RunbookException("You cannot take the administration away from yourself.", "Another administrator can.");
        site.Accounts.SetGrants(account.Name, grants);
        return null;
    }

    /// <summary>As "os:alice", or "oidc:SUBJECT" of the identity provider, one per line.</summary>
    static string? SetNames(Site site, HttpContext http, IFormCollection form)
    {
        var account = Known(site, Route(http));
        site.Accounts.SetIdentities(account.Name, [.. form["known"].ToString().Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(l => Name(site, l))]);
        return null;
    }

    static (string, string) Name(Site site, string line) => line.Split(':', 2) switch
    {
        ["os", { Length: > 0 } name] => (Helix.Runbooks.Journal.Person.Machines, name),
        ["oidc", { Length: > 0 } subject] when site.Accounts.SignOn is { } provider => (provider.Issuer, subject),
        _ => throw new RunbookException($"'{line}' says nothing about who the account is.", "Write os:NAME for the account on the machines, and oidc:SUBJECT for the person at the identity provider, each on a line."),
    };

    /// <summary>To what the page said when it was pressed: on an old page, or twice, it would else do the contrary.</summary>
    static string? Disable(Site site, HttpContext http, IFormCollection form)
    {
        var account = Known(site, Route(http));
        if (account.Name == http.Caller().Account)
            throw new RunbookException("You cannot disable yourself.");
        site.Accounts.SetDisabled(account.Name, form["disabled"].ToString() switch { "yes" => true, "no" => false, _ => throw new RunbookException($"Whether {account.Name} shall be disabled was not said.", "Load the page again.") });
        return null;
    }

    static Account Known(Site site, string name) => site.Accounts.Find(name) ?? throw new NotThereException($"There is no account '{name}'.");

    /// <summary>As "operator:production", one per ticked box; and one per line of text.</summary>
    static List<Grant> Grants(IFormCollection form) => [.. form["grant"].SelectMany(g => (g ?? "").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).Select(Grant.Parse)];

    static Task Own(Site site, HttpContext http, string? token, string? said)
    {
        var account = site.Accounts.Find(http.Caller().Account)!;
        return Render.Page<AccountPage>(http, http.Caller(), new AccountModel(account, site.Accounts.TokensOf(account.Name), token, said, Hooks(site)));
    }

    static async Task ChangePassword(Site site, HttpContext http)
    {
        var form = await http.Request.ReadFormAsync();
        var name = http.Caller().Account;
        var now = site.Time.GetUtcNow();
        if (site.Throttle.Wait(now, name, Door.Address(http)) > TimeSpan.Zero)
            throw new RunbookException("Too many wrong passwords.", "Wait some minutes.");
        if (site.Accounts.Check(name, form["old"].ToString()) is null)
        {
            site.Throttle.Failed(now, name, Door.Address(http));
            throw new RefusedException("The old password is another.");
        }
        if (form["password"] != form["again"])
            throw new RunbookException("The two passwords differ.");
        site.Accounts.SetPassword(name, form["password"].ToString());
        site.Accounts.Audit(name, Door.Address(http), "password", "changed");
        LoginEndpoints.Enter(site, http, name);
        http.Response.Redirect("/account");
    }

    static async Task NewToken(Site site, HttpContext http)
    {
        var form = await http.Request.ReadFormAsync();
        Interactive(http);
        var scopes = form["scope"].Select(s => Enum.Parse<Role>(s!, ignoreCase: true)).ToList();
        if (!double.TryParse(form["days"], System.Globalization.CultureInfo.InvariantCulture, out var days))
            throw new RunbookException("A token holds for a number of days.");
        var hook = form["hook"].ToString() is { Length: > 0 } named ? Hooks(site).Contains(named) ? named : throw new RunbookException($"There is no hook '{named}' that takes tokens.") : null;
        var token = site.Accounts.NewToken(http.Caller().Account, form["name"].ToString(), scopes, TimeSpan.FromDays(days), hook);
        site.Accounts.Audit(http.Caller().Account, Door.Address(http), "token", "made", form["name"] + ": " + (hook is null ? string.Join(", ", scopes) : $"the hook {hook} alone"));
        await Own(site, http, token, null);
    }

    static List<string> Hooks(Site site) => [.. (site.Triggers.Book?.Value?.Hooks.Values ?? []).Where(h => h.From == HookSource.Alertmanager).Select(h => h.Name)];

    static Task Revoke(Site site, HttpContext http)
    {
        Interactive(http);
        var gone = site.Accounts.Revoke(http.Caller().Account, http.GetRouteValue("id")!.ToString()!);
        site.Accounts.Audit(http.Caller().Account, Door.Address(http), "token", gone ? "revoked" : "not there");
        http.Response.Redirect("/account");
        return Task.CompletedTask;
    }

    /// <summary>A token cannot make others of its kind.</summary>
    static void Interactive(HttpContext http)
    {
        if (http.Caller().Session is null)
            throw new RefusedException("Tokens are made and revoked by people who are logged in.");
    }

    static string Route(HttpContext http) => http.GetRouteValue("account")!.ToString()!;
}
