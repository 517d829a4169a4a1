using System.Text;
using System.Text.Json.Nodes;
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
        app.MapGet("/runbooks", http => Render.Page<RunbooksPage>(http, http.Caller(), All(site)));
        app.MapGet("/runbooks/{runbook}", async http => await Render.Page<RunbookPage>(http, http.Caller(), await One(site, http, http.Request.Query["environment"])));
        app.MapPost("/runbooks/{runbook}/plan", http => Plan(site, http));
        app.MapPost("/runbooks/{runbook}/start", http => Start(site, http));
    }

    static RunbooksModel All(Site site) => new(
        [.. site.Library.Runbooks.Select(n => Line(n, site.Library.Runbook(n)))],
        [.. site.Library.Environments.Select(n => (n, site.Library.Environment(n))).Select(e => new EnvironmentLine(e.n, e.Item2.Value?.Protected, e.Item2.Problems.Count(p => p.Severity == Severity.Error)))]);

    static RunbookLine Line(string name, ReadResult<Runbook> read) => new(
        name, read.Value?.Title, read.Value?.Owner, read.Value?.Objectives,
        read.Problems.Count(p => p.Severity == Severity.Error), read.Problems.Count(p => p.Severity == Severity.Warning));

    static async Task<RunbookModel> One(Site site, HttpContext http, string? environment)
    {
        var name = http.GetRouteValue("runbook")!.ToString()!;
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
        var form = await http.Request.ReadFormAsync();
        var environment = form["environment"].ToString();
        if (!http.Caller().May(Role.Operator, environment) && !http.Caller().May(Role.Author, environment))
            throw new RefusedException($"Planning needs the role operator or author on {environment}.");
        var model = await One(site, http, environment);
        var plan = Starting.PlanOf(site, model.Name, environment, Inputs(form), form["mode"].ToString());
        var described = await site.NewEngine().Describe(plan, http.Caller().Account, http.RequestAborted);
        await Render.Page<RunbookPage>(http, http.Caller(), model with
        {
            Plan = new PlanModel(plan, described),
            Inputs = [.. model.Inputs.Select(i => i with { Value = form["input." + i.Name].ToString() is { Length: > 0 } typed ? typed : i.Value })],
        });
    }

    static async Task Start(Site site, HttpContext http)
    {
        var form = await http.Request.ReadFormAsync();
        var run = Starting.Start(site, http.Caller(), new Wanted
        {
            Runbook = http.GetRouteValue("runbook")!.ToString()!,
            Environment = form["environment"].ToString(),
            Mode = form["mode"].ToString(),
            Inputs = Inputs(form),
            Incident = form["incident"].ToString() is { Length: > 0 } incident ? incident.Trim() : null,
            OccurredAt = Moment(form["occurred"]),
            DeclaredAt = Moment(form["declared"]),
            Comms = form["comms"].ToString() is { Length: > 0 } comms ? comms : "on",
            Confirmed = form["confirm"].ToString() is { Length: > 0 } typed ? typed.Trim() : null,
            Trigger = Ways.Page,
            Attended = true,
        }, form["key"].ToString());
        http.Response.Redirect($"/runs/{run}");
    }

    static JsonObject Inputs(IFormCollection form) => new(form
        .Where(f => f.Key.StartsWith("input.", StringComparison.Ordinal) && f.Value.ToString().Length > 0)
        .Select(f => KeyValuePair.Create(f.Key["input.".Length..], (JsonNode?)f.Value.ToString())));

    /// <summary>What a browser's field for date and time gives has no offset; the label says UTC.</summary>
    static DateTimeOffset? Moment(string? text) => string.IsNullOrEmpty(text) ? null
        : DateTimeOffset.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out var at) ? at
        : throw new RunbookException($"'{text}' is no moment in time.");
}
