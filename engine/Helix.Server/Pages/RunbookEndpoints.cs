using System.Text;
using Helix.Runbooks.Model;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Server.Web;
using Markdig;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Pages;

/// <summary>Runbooks for people: the text with its problems, the plan, the form that starts a run.</summary>
static class RunbookEndpoints
{
    static readonly MarkdownPipeline Markdown = new MarkdownPipelineBuilder().DisableHtml().Build();

    public static void MapRunbooks(this IEndpointRouteBuilder app, Site site)
    {
        app.MapGet("/runbooks", http => Render.Page<RunbooksPage>(http, http.Caller(), All(site, http.Caller())));
        app.MapGet("/runbooks/{runbook}", async http => await Render.Page<RunbookPage>(http, http.Caller(), await One(site, http, http.Request.Query["environment"])));
        app.MapPost("/runbooks/{runbook}/plan", http => Plan(site, http));
        app.MapPost("/runbooks/{runbook}/start", http => Start(site, http));
    }

    static RunbooksModel All(Site site, Caller caller) => new(
        [.. site.Library.Runbooks.Select(n => Line(n, site.Library.Runbook(n)))],
        [.. site.Library.Environments.Where(n => caller.May(Role.Viewer, n)).Select(n => (n, site.Library.Environment(n))).Select(e => new EnvironmentLine(e.n, e.Item2.Value?.Protected, e.Item2.Problems.Count(p => p.Severity == Severity.Error)))]);

    static RunbookLine Line(string name, ReadResult<Runbook> read) => new(
        name, read.Value?.Title, read.Value?.Owner, read.Value?.Objectives,
        read.Problems.Count(p => p.Severity == Severity.Error), read.Problems.Count(p => p.Severity == Severity.Warning));

    static async Task<RunbookModel> One(Site site, HttpContext http, string? environment)
    {
        var name = Name(http);
        var read = site.Library.Runbook(name);
        var git = GitFacts.Of(site.Library.PathOf(name));
        var model = new RunbookModel
        {
            Name = name,
            Runbook = read.Value,
            DescriptionHtml = Markdig.Markdown.ToHtml(read.Value?.Description ?? "", Markdown),
            Problems = read.Problems,
            Text = Encoding.UTF8.GetString(File.ReadAllBytes(site.Library.PathOf(name))).TrimEnd('\n'),
            GitCommit = git.Commit,
            GitAuthor = git.Author,
            Environments = [.. site.Library.Environments.Where(e => http.Caller().May(Role.Viewer, e))],
            RequestKey = Tickets.New(),
        };
        return string.IsNullOrEmpty(environment) ? model : await With(site, http, model, environment);
    }

    static async Task<RunbookModel> With(Site site, HttpContext http, RunbookModel model, string environment)
    {
        if (!http.Caller().May(Role.Viewer, environment))
            throw new NotThereException($"There is no environment '{environment}'.");
        if (site.Library.Environment(environment) is var read && read.Value is not { } targets)
            return model with { Environment = environment, Trouble = string.Join("\n", read.Problems) };
        var fit = site.Library.Runbook(model.Name, targets);
        var inputs = new List<FormInput>();
        foreach (var (name, input) in fit.Value?.Inputs ?? new Dictionary<string, Input>())
            inputs.Add(FormInput.OfRunbook(name, input) with { Backups = await BackupPicker.Choices(site, http.Caller(), targets, input, http.RequestAborted) });
        return model with
        {
            Environment = environment,
            Protected = targets.Protected,
            Inputs = inputs,
            Trouble = fit.HasErrors ? string.Join("\n", fit.Problems) : null,
        };
    }

    static async Task Plan(Site site, HttpContext http)
    {
        var typed = new Typed(await http.Request.ReadFormAsync());
        var environment = typed["environment"] ?? "";
        if (!http.Caller().May(Role.Operator, environment) && !http.Caller().May(Role.Author, environment))
            throw new RefusedException($"Planning needs the role operator or author on {environment}.");
        try
        {
            var plan = Starting.PlanOf(site, Name(http), environment, typed.Named("input."), typed["mode"] ?? "");
            await Again(site, http, typed, new PlanModel(plan, await site.NewEngine().Describe(plan, http.Caller().Account, http.RequestAborted)), null);
        }
        catch (Exception e) when (Faults.Mendable(http, e) is { } refused)
        {
            await Again(site, http, typed, null, refused);
        }
    }

    static async Task Start(Site site, HttpContext http)
    {
        var typed = new Typed(await http.Request.ReadFormAsync());
        try
        {
            http.Response.Redirect("/runs/" + Starting.Start(site, http.Caller(), Wish(http, typed), typed["key"]));
        }
        catch (Exception e) when (Faults.Mendable(http, e) is { } refused)
        {
            await Again(site, http, typed, null, refused);
        }
    }

    static Wanted Wish(HttpContext http, Typed typed) => new()
    {
        Runbook = Name(http),
        Environment = typed["environment"] ?? "",
        Mode = typed["mode"] ?? "",
        Inputs = typed.Named("input."),
        Incident = typed["incident"] is { Length: > 0 } incident ? incident.Trim() : null,
        OccurredAt = Moment(typed["occurred"]),
        DeclaredAt = Moment(typed["declared"]),
        Comms = typed["comms"] is { Length: > 0 } comms ? comms : "on",
        Confirmed = typed["confirm"] is { Length: > 0 } confirmed ? confirmed.Trim() : null,
        Trigger = Ways.Page,
        Attended = true,
    };

    /// <summary>The form as it was sent, with its plan or with why it was refused.</summary>
    static async Task Again(Site site, HttpContext http, Typed typed, PlanModel? plan, Fault? refused)
    {
        http.Response.StatusCode = refused?.Status ?? StatusCodes.Status200OK;
        await Render.Page<RunbookPage>(http, http.Caller(), await One(site, http, typed["environment"]) with { Plan = plan, Typed = typed, Refused = refused });
    }

    static string Name(HttpContext http) => http.GetRouteValue("runbook")!.ToString()!;

    /// <summary>What a browser's field for date and time gives has no offset; the label says UTC.</summary>
    static DateTimeOffset? Moment(string? text) => string.IsNullOrEmpty(text) ? null
        : DateTimeOffset.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out var at) ? at
        : throw new RunbookException($"'{text}' is no moment in time.");
}
