using System.Text.Json;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Server.Live;
using Helix.Server.Pages;
using Helix.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Api;

static class AnswersApi
{
    public static void MapAnswersApi(this IEndpointRouteBuilder api, Site site)
    {
        api.MapGet("/decisions", (HttpContext http) => AnswerEndpoints.Open(site, http.Caller()).Select(Question).ToList())
            .WithSummary("Everything that people are waited for.").WithTags("decisions");
        api.MapGet("/runs/{run}/gate", (string run, string path, HttpContext http) => Gate(RunEndpoints.RunOf(site, http), path))
            .WithSummary("An approval that is still to come and can be given now, as it will be asked.").WithTags("decisions");
        api.MapPost("/runs/{run}/decisions", (string run, ApiAnswer answer, HttpContext http) => Decide(site, http, answer))
            .WithSummary("Answers a question. A refusal is 422 and stands in the record.").WithTags("decisions");
        api.MapPost("/runs/{run}/ratify", (string run, ApiRatify body, HttpContext http) => Done(site, http, live => Deeds.Ratify(site, http.Caller(), live, body.Question, body.Reason)))
            .WithSummary("Agrees afterwards to an answer by break-glass.").WithTags("decisions").Produces(StatusCodes.Status202Accepted);
        api.MapGet("/runs/{run}/secrets", (string run, HttpContext http) => RunEndpoints.RunOf(site, http).Look().Secrets.Select(s => new ApiSecretAsked(s.Asked.Ask, s.Asked.Name, s.Asked.Path, s.Asked.Message, s.Asked.From, s.Asked.Until)).ToList())
            .WithSummary("Secrets that the driver of the run asks people for.").WithTags("decisions");
        api.MapPost("/runs/{run}/secrets", (string run, ApiSecret body, HttpContext http) => Done(site, http, live => Deeds.GiveSecret(site, http.Caller(), live, body.Ask, body.Value)))
            .WithSummary("Hands a secret to the driver; it is kept nowhere.").WithTags("decisions").Produces(StatusCodes.Status202Accepted);
        api.MapPost("/runs/{run}/cancel", (string run, ApiReason body, HttpContext http) => Act(site, http, "cancel", live => Deeds.Cancel(site, http.Caller(), live, body.Reason)))
            .WithSummary("Ends a run: rescue and finally still run.").WithTags("runs").Produces(StatusCodes.Status202Accepted);
        api.MapPost("/runs/{run}/pause", (string run, HttpContext http) => Act(site, http, "pause", live => Deeds.Pause(site, http.Caller(), live)))
            .WithSummary("Suspends a run after its running steps.").WithTags("runs").Produces(StatusCodes.Status202Accepted);
        api.MapPost("/runs/{run}/resume", (string run, ApiConfirmation body, HttpContext http) => Act(site, http, "resume", live => Deeds.Resume(site, http.Caller(), live, body.ConfirmEnvironment)))
            .WithSummary("Goes on with a run that nobody drives.").WithTags("runs").Produces(StatusCodes.Status202Accepted);
        api.MapPost("/runs/{run}/notes", (string run, ApiNote body, HttpContext http) => Done(site, http, live => Deeds.Note(site, http.Caller(), live, body.Text)))
            .WithSummary("Adds a note to the record.").WithTags("runs").Produces(StatusCodes.Status202Accepted);
        api.MapPost("/runs/{run}/close", (string run, ApiReason body, HttpContext http) => Act(site, http, "close", live => site.NewEngine().Close(live.Run, http.Caller().Person, Deeds.Said(body.Reason, "A reason"))))
            .WithSummary("Acknowledges what a run that ended has left changed.").WithTags("runs").Produces(StatusCodes.Status202Accepted);
    }

    static ApiQuestion Gate(LiveRun live, string path) => live.Gate(path) is { } gate ? Question(gate) : throw new RunbookException(
        $"Run {live.Run} asks nothing like '{path}' now.",
        "`helix status` shows what is asked. An approval can be given before its gate where all that it shows stands in the runbook.");

    static ApiAnswered Decide(Site site, HttpContext http, ApiAnswer answer)
    {
        var result = Deeds.Decide(site, http.Caller(), RunEndpoints.RunOf(site, http), answer.ToDecided());
        return result.Accepted
            ? new ApiAnswered(true, result.Message, result.State.Status.ToString().ToLowerInvariant())
            : throw new RunbookException($"The answer was refused: {result.Message}.", "The refusal stands in the record.");
    }

    static IResult Done(Site site, HttpContext http, Action<LiveRun> act)
    {
        var live = RunEndpoints.RunOf(site, http);
        act(live);
        return Results.Accepted($"/api/v1/runs/{live.Run}");
    }

    static IResult Act(Site site, HttpContext http, string what, Action<LiveRun> act)
    {
        var live = RunEndpoints.RunOf(site, http);
        Deeds.Demand(site, http.Caller(), Role.Operator, live, what);
        act(live);
        return Results.Accepted($"/api/v1/runs/{live.Run}");
    }

    static ApiQuestion Question(QuestionModel q) => new(
        q.Run, q.Environment, q.Id, q.Path, JsonNamingPolicy.KebabCaseLower.ConvertName(q.Kind.ToString()), q.Message, q.Shown, q.ShownHash, q.Whom, q.Choices, q.Asked, q.Expires);
}
