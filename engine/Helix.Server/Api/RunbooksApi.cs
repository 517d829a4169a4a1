using System.Text;
using Helix.Runbooks.Model;
using Helix.Runbooks.Reports;
using Helix.Server.Accounts;
using Helix.Server.Web;
using Helix.Steps.Backups;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Api;

static class RunbooksApi
{
    public static void MapRunbooksApi(this IEndpointRouteBuilder api, Site site)
    {
        api.MapGet("/runbooks", () => site.Library.Runbooks.Select(n => Line(n, site.Library.Runbook(n))).ToList())
            .WithSummary("All runbooks, with how many problems each has.").WithTags("runbooks");
        api.MapGet("/runbooks/{runbook}", (string runbook) => One(site, runbook)).WithSummary("One runbook: inputs, problems, text.").WithTags("runbooks");
        api.MapPost("/plan", async (ApiWish wish, HttpContext http) => await Plan(site, wish, http))
            .WithSummary("What a run would do, in order, without doing anything.").WithTags("runbooks").Produces<object>();
        api.MapGet("/environments", (HttpContext http) => site.Library.Environments.Where(e => http.Caller().May(Role.Viewer, e)).Select(n => Environment(n, site.Library.Environment(n))).ToList())
            .WithSummary("All environments.").WithTags("runbooks");
        api.MapGet("/environments/{environment}/backups", async (string environment, string prefix, string? target, string? backup, HttpContext http) => await Backups(site, environment, prefix, target, backup, http))
            .WithSummary("The backups of a series, newest recovery point first, or the one that a selector means; and what would be lost now.").WithTags("backups");
    }

    static ApiRunbook Line(string name, ReadResult<Runbook> read) => new(
        name, read.Value?.Title, read.Value?.Owner, read.Value?.Objectives.Rto?.TotalSeconds, read.Value?.Objectives.Rpo?.TotalSeconds,
        read.Problems.Count(p => p.Severity == Severity.Error), read.Problems.Count(p => p.Severity == Severity.Warning));

    static ApiRunbookText One(Site site, string name)
    {
        var read = site.Library.Runbook(name);
        return new ApiRunbookText(name, read.Value?.Title, read.Value?.Description,
            [.. (read.Value?.Inputs ?? new Dictionary<string, Input>()).Select(i => new ApiInput(i.Key, i.Value.Type.ToString().ToLowerInvariant(), i.Value.Description, i.Value.Required, i.Value.Default?.DeepClone(), i.Value.Choices))],
            [.. read.Problems.Select(ApiProblem.Of)], Encoding.UTF8.GetString(File.ReadAllBytes(site.Library.PathOf(name))));
    }

    static ApiEnvironment Environment(string name, ReadResult<Helix.Runbooks.Model.Environment> read) => new(name, read.Value?.Protected, [.. read.Problems.Select(ApiProblem.Of)]);

    static async Task<IResult> Plan(Site site, ApiWish wish, HttpContext http)
    {
        if (!http.Caller().May(Role.Operator, wish.Environment) && !http.Caller().May(Role.Author, wish.Environment))
            throw new RefusedException($"Planning needs the role operator or author on {wish.Environment}.");
        var plan = Starting.PlanOf(site, wish.Runbook, wish.Environment, wish.Inputs, wish.Mode);
        return ApiEndpoints.Written(PlanPage.Json(plan, await site.NewEngine().Describe(plan, http.Caller().Account, http.RequestAborted)));
    }

    static async Task<ApiSeries> Backups(Site site, string environment, string prefix, string? target, string? backup, HttpContext http)
    {
        if (!http.Caller().May(Role.Viewer, environment))
            throw new NotThereException($"There is no environment '{environment}'.");
        await using var store = await Shelves.Open(site, http.Caller(), environment, target, http.RequestAborted);
        return ApiSeries.Of(await Shelves.View(site, store, prefix, backup, http.RequestAborted));
    }
}
