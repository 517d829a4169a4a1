using System.Text.Json;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Pages;

public sealed record RecordModel(IReadOnlyList<RunSummary> Runs, string RegisterHead, IReadOnlyList<AuditLine>? Audit);
public sealed record RunRecordModel(string Run, IReadOnlyList<RecordLine> Lines, IReadOnlyList<string> Faults, string Head, string? Asked);
public sealed record RecordLine(JournalEntry Entry, string Event, string Text);

/// <summary>The record: who did what when, and whether it still is what was written.</summary>
static class RecordEndpoints
{
    const int Shown = 200;

    public static void MapRecord(this IEndpointRouteBuilder app, Site site)
    {
        app.MapGet("/record", http => Render.Page<RecordPage>(http, http.Caller(), new RecordModel(
            site.Store.Runs(Shown, environments: http.Caller().Sees), site.Store.RegisterHead(),
            http.Caller().IsAdmin ? site.Accounts.Audited(Shown) : null)));
        app.MapGet("/record/{run}", http => Show(site, http));
    }

    static Task Show(Site site, HttpContext http)
    {
        var run = RunEndpoints.RunOf(site, http).Run;
        var entries = site.Store.Read(run);
        var asked = http.Request.Query["head"].ToString().Trim() is { Length: > 0 } head ? head : null;
        return Render.Page<RunRecordPage>(http, http.Caller(), new RunRecordModel(run, [.. entries.Select(Line)], site.Store.Verify(run, asked), entries[^1].Hash, asked));
    }

    static RecordLine Line(JournalEntry entry)
    {
        var json = JsonSerializer.SerializeToNode(entry.Event, StepJson.Options)!.AsObject();
        var name = json["event"]!.GetValue<string>();
        json.Remove("event");
        return new RecordLine(entry, name, json.ToJsonString(StepJson.Options));
    }
}
