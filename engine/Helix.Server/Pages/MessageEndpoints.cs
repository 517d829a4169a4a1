using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Server.Web;
using Helix.Steps.Messages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Pages;

public sealed record MessagesModel(IReadOnlyList<ChannelLine> Channels, IReadOnlyList<string> Silent, IReadOnlyList<Letter> Letters);

/// <summary>A channel and how it does.</summary>
public sealed record ChannelLine(string Environment, Channel Channel, long Sent, long Waiting, long GivenUp);

/// <summary>What was told to the outside, what waits to be told, and what could not be.</summary>
static class MessageEndpoints
{
    const int Shown = 100;

    public static void MapMessages(this IEndpointRouteBuilder app, Site site)
    {
        app.MapGet("/messages", http => Render.Page<MessagesPage>(http, http.Caller(), Model(site, http.Caller())));
        app.MapPost("/messages/again", http => Act(site, http, (form, environment, channel) => site.Accounts.TryAgain(form["id"].ToString(), environment, channel)));
        app.MapPost("/messages/test", http => Act(site, http, (_, environment, channel) => Test(site, http.Caller(), environment, channel)));
    }

    static MessagesModel Model(Site site, Caller caller)
    {
        var environments = site.Library.Environments.Where(e => caller.May(Role.Viewer, e)).Select(site.Library.Environment).Where(e => e is { HasErrors: false, Value: not null }).Select(e => e.Value!).ToList();
        var counts = site.Accounts.LetterCounts();
        long Count(string environment, string channel, string state) => counts.FirstOrDefault(c => c.Environment == environment && c.Channel == channel && c.State == state).Count;
        return new MessagesModel(
            [.. environments.SelectMany(e => e.Channels.Select(c => new ChannelLine(e.Name, c, Count(e.Name, c.To, "sent"), Count(e.Name, c.To, "waiting"), Count(e.Name, c.To, "given-up"))))],
            [.. environments.Where(e => e.Channels.Count == 0).Select(e => e.Name)],
            site.Accounts.LettersOf(Shown, caller.Sees));
    }

    static void Test(Site site, Caller caller, string environment, string channel)
    {
        var known = site.Library.SoundEnvironment(environment).Channels.FirstOrDefault(c => c.To == channel) ?? throw new NotThereException($"There is no channel '{channel}' in {environment}.");
        site.Outbox.Post(environment, known.To, new Message
        {
            Id = $"try/{Tickets.New()}",
            Title = $"A message from Helix for {environment}",
            Text = $"{caller.Account} wanted to know whether this channel works. It does.",
            Severity = "info",
            Environment = environment,
            At = site.Time.GetUtcNow(),
            Test = true,
            Link = new Uri(site.Address, "/messages"),
        });
    }

    static async Task Act(Site site, HttpContext http, Action<IFormCollection, string, string> act)
    {
        var form = await http.Request.ReadFormAsync();
        var environment = form["environment"].ToString();
        if (!http.Caller().May(Role.Operator, environment))
            throw new RefusedException($"This needs the role operator on {environment}.");
        act(form, environment, form["channel"].ToString());
        site.Outbox.Wake();
        http.Response.Redirect("/messages");
    }
}
