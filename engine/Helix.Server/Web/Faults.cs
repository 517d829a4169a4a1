using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Server.Pages;
using Microsoft.AspNetCore.Http;

namespace Helix.Server.Web;

/// <summary>What went wrong, as a page for people and as problem details (RFC 9457) for programs.</summary>
sealed class Faults(Site site)
{
    public async Task Guard(HttpContext http, Func<Task> next)
    {
        try
        {
            await next();
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody waits for the answer any more.
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            await Write(http, e);
        }
    }

    Task Write(HttpContext http, Exception e)
    {
        switch (e)
        {
            case NotThereException: return Write(http, 404, e.Message, null);
            case RefusedException:
                site.Accounts.Audit(http.Features.Get<Who>()?.Caller?.Account, Door.Address(http), $"{http.Request.Method} {http.Request.Path}", "refused", e.Message);
                return Write(http, 403, e.Message, null);
            case RunbookException or HeldException when Mended(e) is { } fault: return Write(http, fault.Status, fault.Message, fault.Hint);
            case StepFailedException s: return Write(http, 502, s.Message, s.Hint);
            case StoreLostException lost: return Write(http, 503, e.Message, lost.Hint ?? (lost.MayComeBack ? "Whether what you sent was taken is not known: look again when the database is back." : "Nothing was done. Make room or mend the disk of the store."));
            case BadHttpRequestException b: return Write(http, b.StatusCode, b.Message, null);
            default:
                site.Say($"{http.Request.Method} {http.Request.Path}: {e}");
                return Write(http, 500, "This is a mistake in helix itself.", "The output of the server holds the details; please report them.");
        }
    }

    /// <summary>What whoever sent a form can mend in it, so that it is shown again as it was; null: that is shown alone.</summary>
    public static Fault? Mendable(HttpContext http, Exception e) => WantsPage(http) ? Mended(e) : null;

    static Fault? Mended(Exception e) => e switch
    {
        RunbookException r => new Fault(422, r.Message, r.Hint),
        HeldException h => new Fault(409, h.Message, h.Hint),
        _ => null,
    };

    static bool WantsPage(HttpContext http) => !http.Request.Path.StartsWithSegments("/api") && http.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal);

    public static Task Write(HttpContext http, int status, string message, string? hint)
    {
        http.Response.StatusCode = status;
        if (!WantsPage(http))
        {
            http.Response.ContentType = "application/problem+json";
            return http.Response.WriteAsync(new JsonObject { ["title"] = message, ["status"] = status, ["detail"] = hint, ["instance"] = http.Request.Path.Value }.ToJsonString(StepJson.Options));
        }
        return Render.Page<FaultPage>(http, http.Features.Get<Who>()?.Caller, new Fault(status, message, hint));
    }
}

public sealed record Fault(int Status, string Message, string? Hint);
