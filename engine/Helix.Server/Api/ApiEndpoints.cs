using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Helix.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Helix.Server.Api;

/// <summary>The HTTP API, version 1: what the pages can, for programs. Errors are problem details; the document is at <c>/api/v1/openapi.json</c>.</summary>
static class ApiEndpoints
{
    public static void AddApi(this IServiceCollection services)
    {
        services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = true);
        services.ConfigureHttpJsonOptions(o =>
        {
            o.SerializerOptions.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
            o.SerializerOptions.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
            o.SerializerOptions.RespectNullableAnnotations = true;
            o.SerializerOptions.RespectRequiredConstructorParameters = true;
        });
        services.AddOpenApi("v1", o => o.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "Helix Runbooks";
            document.Info.Description = "Runs, decisions, runbooks, backups and the record. Give a token of your account page: Authorization: Bearer helix_…";
            return Task.CompletedTask;
        }));
    }

    public static void MapApi(this IEndpointRouteBuilder app, Site site)
    {
        app.MapOpenApi("/api/{documentName}/openapi.json").WithMetadata(new Open());
        var api = app.MapGroup("/api/v1");
        api.MapRunbooksApi(site);
        api.MapRunsApi(site);
        api.MapAnswersApi(site);
        api.MapRecordApi(site);
        api.MapTriggersApi(site);
        api.MapSchedulesApi(site);
    }

    /// <summary>JSON that the library has written already.</summary>
    public static IResult Written(string json) => Results.Text(json, "application/json");

    public static IResult Written(JsonNode json) => Written(json.ToJsonString(new JsonSerializerOptions(JsonSerializerDefaults.Web)));

    /// <summary>304 when the caller has this version already.</summary>
    public static IResult Versioned(HttpContext http, string version, Func<IResult> result)
    {
        var tag = $"\"{version}\"";
        http.Response.Headers.ETag = tag;
        http.Response.Headers.CacheControl = "no-cache";
        return http.Request.Headers.IfNoneMatch.Any(t => t is not null && (t == "*" || t.Split(',', StringSplitOptions.TrimEntries).Contains(tag)))
            ? Results.StatusCode(StatusCodes.Status304NotModified)
            : result();
    }
}
