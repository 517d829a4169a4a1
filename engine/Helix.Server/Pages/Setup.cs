using System.Collections.Concurrent;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Pages;

public sealed record NewPassword(string? Account, string? Suggested, string? Fault);

/// <summary>The first administrator, by a link that only whoever started the server saw; and passwords by invitation.</summary>
static class Setup
{
    static readonly TimeSpan Holds = TimeSpan.FromHours(1);
    const string Over = "This link does not hold any more. Start the server again to get another one.";
    static readonly ConcurrentDictionary<string, DateTimeOffset> Links = [];

    /// <summary>Kept in memory only: it ends with the server.</summary>
    public static string NewTicket(Site site)
    {
        var ticket = Tickets.New();
        Links[ticket] = site.Time.GetUtcNow() + Holds;
        return ticket;
    }

    public static void MapSetup(this IEndpointRouteBuilder app, Site site)
    {
        app.MapGet("/setup/{ticket}", http => Show(http, IsGood(site, Ticket(http)), new NewPassword(null, Environment.UserName, null))).WithMetadata(new Open());
        app.MapPost("/setup/{ticket}", http => MakeAdministrator(site, http)).WithMetadata(new Open());
        app.MapGet("/invitation/{ticket}", http => Show(http, site.Accounts.Invited(Ticket(http)) is not null, new NewPassword(site.Accounts.Invited(Ticket(http)) ?? "", null, null))).WithMetadata(new Open());
        app.MapPost("/invitation/{ticket}", http => SetPassword(site, http)).WithMetadata(new Open());
    }

    static Task Show(HttpContext http, bool good, NewPassword form) => good
        ? Render.Page<PasswordPage>(http, null, form)
        : throw new NotThereException("This link does not hold any more. Whoever made it can make another one.");

    static async Task MakeAdministrator(Site site, HttpContext http)
    {
        var form = await http.Request.ReadFormAsync();
        var account = form["account"].ToString().Trim();
        if (!IsGood(site, Ticket(http)))
            throw new NotThereException(Over);
        if (Fault(form) is { } fault)
        {
            await Render.Page<PasswordPage>(http, null, new NewPassword(null, account, fault));
            return;
        }
        // Sent twice at once it makes one: who takes the link away.
        if (!Links.TryRemove(Ticket(http), out var until))
            throw new NotThereException(Over);
        try
        {
            if (site.Accounts.Find(account) is null)
                site.Accounts.Add(account, []);
        }
        catch (RunbookException e)
        {
            Links[Ticket(http)] = until;
            await Render.Page<PasswordPage>(http, null, new NewPassword(null, account, e.Message));
            return;
        }
        site.Accounts.SetGrants(account, [.. site.Accounts.Find(account)!.Grants, new Grant(Role.Admin, Grant.Everywhere)]);
        site.Accounts.SetPassword(account, form["password"].ToString());
        site.Accounts.Audit(account, Door.Address(http), "administrator", "made");
        LoginEndpoints.Enter(site, http, account);
        http.Response.Redirect("/accounts");
    }

    static async Task SetPassword(Site site, HttpContext http)
    {
        var form = await http.Request.ReadFormAsync();
        if (site.Accounts.Invited(Ticket(http)) is not { } account)
            throw new NotThereException("This link does not hold any more. Whoever made it can make another one.");
        if (Fault(form) is { } fault)
        {
            await Render.Page<PasswordPage>(http, null, new NewPassword(account, null, fault));
            return;
        }
        if (!site.Accounts.UseUp(Ticket(http)))
            throw new NotThereException("This link was used meanwhile.");
        site.Accounts.SetPassword(account, form["password"].ToString());
        site.Accounts.Audit(account, Door.Address(http), "password", "set");
        LoginEndpoints.Enter(site, http, account);
        http.Response.Redirect("/runs");
    }

    static string? Fault(IFormCollection form) =>
        form["password"].ToString() != form["again"].ToString() ? "The two passwords differ." : Passwords.Fault(form["password"].ToString());

    static bool IsGood(Site site, string ticket) => Links.TryGetValue(ticket, out var until) && until > site.Time.GetUtcNow();
    static string Ticket(HttpContext http) => http.GetRouteValue("ticket")!.ToString()!;
}
