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

/// <summary>A question whose answer was refused, with the form as it was sent.</summary>
public sealed record RefusedAnswerModel(QuestionModel Question, Typed Typed, Fault Refused);

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
        app.MapPost("/runs/{run}/pause", http => Act(site, http, "pause", (_, live) => Deeds.Pause(site, http.Caller(), live)));
        app.MapPost("/runs/{run}/cancel", http => Act(site, http, "cancel", (form, live) => Deeds.Cancel(site, http.Caller(), live, form["reason"])));
        app.MapPost("/runs/{run}/note", http => Post(site, http, (form, live) => Deeds.Note(site, http.Caller(), live, form["text"])));
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
        var typed = new Typed(await http.Request.ReadFormAsync());
        var live = RunEndpoints.RunOf(site, http);
        try
        {
            var result = Deeds.Decide(site, http.Caller(), live, Said(typed));
            if (!result.Accepted)
                throw new RunbookException($"The answer was refused: {result.Message}.", "The refusal stands in the record.");
            http.Response.Redirect($"/runs/{live.Run}");
        }
        catch (Exception e) when (Faults.Mendable(http, e) is { } refused && live.Look().Questions.FirstOrDefault(q => q.Id == typed["question"]) is { } question)
        {
            http.Response.StatusCode = refused.Status;
            await Render.Page<RefusedAnswerPage>(http, http.Caller(), new RefusedAnswerModel(question, typed, refused));
        }
    }

    static Decided Said(Typed typed)
    {
        var choice = typed["choice"] ?? "";
        return new Decided
        {
            Question = typed["question"] ?? "",
            Choice = choice,
            Reason = Text(typed["reason"]),
            Evidence = Text(typed["evidence"]),
            ShownHash = Text(typed["shown"]),
            BreakGlass = typed["glass"] == "yes",
            // A rejected form is not filled; an input belongs to going back.
            Inputs = choice == "go-back" ? typed.Named("input.") : choice is "approve" or "done" ? typed.Named("form.") : [],
            To = choice == "go-back" ? Text(typed["to"]) : null,
            With = choice == "retry" && typed.Named("with.") is { Count: > 0 } with ? Deeds.Typed(with) : null,
            Outputs = choice == "done" && Outputs(typed) is { Count: > 0 } outputs ? Deeds.Typed(outputs) : null,
        };
    }

    /// <summary>The fields of those that later steps need, and the lines with others.</summary>
    static JsonObject Outputs(Typed typed)
    {
        var outputs = typed.Named("output.");
        foreach (var line in (typed["outputs"] ?? "").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Split('=', 2) is not [var name, var value])
                throw new RunbookException($"'{line}' is not of the form NAME=VALUE.");
            if (!outputs.TryAdd(name.Trim(), value.Trim()))
                throw new RunbookException($"The output '{name.Trim()}' is said twice.", "One value for each; which of them counts is not for the server to say.");
        }
        return outputs;
    }

    static string? Text(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
