using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Server.Live;
using Helix.Server.Triggers;
using Helix.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Pages;

/// <summary>All that people are waited for.</summary>
public sealed record DecisionsModel(IReadOnlyList<QuestionModel> Questions, IReadOnlyList<SuggestedRun> Suggestions, IReadOnlyList<(SecretModel Secret, DrivenBy Driver)> Secrets, IReadOnlyList<GlassModel> Glass, int More);

/// <summary>What people do to a run: answers, resume, pause, cancel, notes, close. POST only; a link never decides.</summary>
static class AnswerEndpoints
{
    public static void MapAnswers(this IEndpointRouteBuilder app, Site site)
    {
        app.MapGet("/decisions", http => Render.Page<DecisionsPage>(http, http.Caller(), All(site, http.Caller())));
        app.MapPost("/runs/{run}/answer", http => Answer(site, http));
        app.MapPost("/runs/{run}/ratify", http => Post(site, http, (form, live) => Deeds.Ratify(site, http.Caller(), live, form["question"].ToString(), form["reason"])));
        app.MapPost("/runs/{run}/secret", http => Post(site, http, (form, live) => Deeds.GiveSecret(site, http.Caller(), live, form["ask"].ToString(), form["value"].ToString())));
        app.MapPost("/runs/{run}/resume", http => Act(site, http, "resume", (form, live) => Resume(site, http, form, live)));
        app.MapPost("/runs/{run}/pause", http => Act(site, http, "pause", (_, live) => site.NewEngine().Pause(live.Run, http.Caller().Person, null)));
        app.MapPost("/runs/{run}/cancel", http => Act(site, http, "cancel", (form, live) => Deeds.Cancel(site, http.Caller(), live, form["reason"])));
        app.MapPost("/runs/{run}/note", http => Act(site, http, "note", (form, live) => site.NewEngine().Note(live.Run, http.Caller().Person, Deeds.Said(form["text"], "A note"))));
        app.MapPost("/runs/{run}/close", http => Act(site, http, "close", (form, live) => site.NewEngine().Close(live.Run, http.Caller().Person, Deeds.Said(form["reason"], "A reason"))));
    }

    const int Shown = 100;

    public static List<QuestionModel> Open(Site site, Caller caller) => Questions(Waiting(site, caller).Asks);

    static DecisionsModel All(Site site, Caller caller)
    {
        var (asks, more) = Waiting(site, caller);
        return new DecisionsModel(Questions(asks), Suggestions.Open(site, caller), [.. asks.SelectMany(r => r.Secrets.Select(s => (s, r.Driver)))], [.. asks.SelectMany(r => r.Glass)], more);
    }

    /// <summary>The newest runs in which somebody is asked, and how many more there are.</summary>
    static (List<RunAsks> Asks, int More) Waiting(Site site, Caller caller)
    {
        var waiting = site.Store.Runs(int.MaxValue, openOnly: true).Where(r => (r.WaitsFor is not null || site.Drivers.Drives(r.Run)) && caller.May(Role.Viewer, r.Environment)).ToList();
        return ([.. waiting.Take(Shown).Select(r => site.Live.Of(r.Run).Asks())], Math.Max(0, waiting.Count - Shown));
    }

    static List<QuestionModel> Questions(List<RunAsks> waiting) => [.. waiting.SelectMany(r => r.Questions).OrderBy(q => q.Expires ?? DateTimeOffset.MaxValue)];

    static async Task Post(Site site, HttpContext http, Action<IFormCollection, LiveRun> act)
    {
        var form = await http.Request.ReadFormAsync();
        var live = RunEndpoints.RunOf(site, http);
        act(form, live);
        http.Response.Redirect($"/runs/{live.Run}");
    }

    static async Task Act(Site site, HttpContext http, string what, Action<IFormCollection, LiveRun> act)
    {
        var form = await http.Request.ReadFormAsync();
        var live = RunEndpoints.RunOf(site, http);
        Deeds.Demand(site, http.Caller(), Role.Operator, live, what);
        act(form, live);
        http.Response.Redirect($"/runs/{live.Run}");
    }

    static void Resume(Site site, HttpContext http, IFormCollection form, LiveRun live) =>
        Deeds.Resume(site, http.Caller(), live, form["confirm"].ToString() is { Length: > 0 } typed ? typed.Trim() : null);

    static async Task Answer(Site site, HttpContext http)
    {
        var form = await http.Request.ReadFormAsync();
        var live = RunEndpoints.RunOf(site, http);
        var choice = form["choice"].ToString();
        var decided = new Decided
        {
            Question = form["question"].ToString(),
            Choice = choice,
            Reason = Text(form["reason"]),
            Evidence = Text(form["evidence"]),
            ShownHash = Text(form["shown"]),
            BreakGlass = form["glass"] == "yes",
            // A rejected form is not filled; an input belongs to going back.
            Inputs = choice == "go-back" ? Named(form, "input.") : choice is "approve" or "done" ? Named(form, "form.") : [],
            To = choice == "go-back" ? Text(form["to"]) : null,
            With = choice == "retry" && Named(form, "with.") is { Count: > 0 } with ? Deeds.Typed(with) : null,
            Outputs = choice == "done" && Outputs(form) is { Count: > 0 } outputs ? Deeds.Typed(outputs) : null,
        };
        var result = Deeds.Decide(site, http.Caller(), live, decided);
        if (!result.Accepted)
            throw new RunbookException($"The answer was refused: {result.Message}.", "The refusal stands in the record.");
        http.Response.Redirect($"/runs/{live.Run}");
    }

    /// <summary>The fields of those that later steps need, and the lines with others.</summary>
    static JsonObject Outputs(IFormCollection form)
    {
        var outputs = Named(form, "output.");
        foreach (var (name, value) in Pairs(form["outputs"].ToString()))
            outputs[name] = value?.DeepClone();
        return outputs;
    }

    static JsonObject Named(IFormCollection form, string prefix) => new(form
        .Where(f => f.Key.StartsWith(prefix, StringComparison.Ordinal) && f.Value.ToString().Length > 0)
        .Select(f => KeyValuePair.Create(f.Key[prefix.Length..], (JsonNode?)f.Value.ToString())));

    static JsonObject Pairs(string lines) => new(lines.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split('=', 2) is [var name, var value]
        ? KeyValuePair.Create(name.Trim(), (JsonNode?)value.Trim())
        : throw new RunbookException($"'{l}' is not of the form NAME=VALUE.")));

    static string? Text(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
