using Helix.Server.Accounts;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Helix.Server.Web;

/// <summary>Razor components as plain HTML: rendered once on the server, nothing of them lives on.</summary>
static class Render
{
    static readonly IServiceProvider Nothing = new ServiceCollection().BuildServiceProvider();

    /// <summary>A whole page, in the frame that all pages share.</summary>
    public static Task Page<T>(HttpContext http, Caller? caller, object model) where T : IComponent
    {
        http.Response.ContentType = "text/html; charset=utf-8";
        return Write(http, Fragment<T>(model, http.RequestServices.GetRequiredService<Door>().Frame(http, caller)));
    }

    static async Task Write(HttpContext http, Task<string> html) => await http.Response.WriteAsync("<!doctype html>\n" + await html, http.RequestAborted);

    /// <summary>A part of a page, as it is sent to pages that are open.</summary>
    public static async Task<string> Fragment<T>(object model, PageFrame frame) where T : IComponent
    {
        await using var renderer = new HtmlRenderer(Nothing, NullLoggerFactory.Instance);
        var parameters = ParameterView.FromDictionary(new Dictionary<string, object?> { ["Model"] = model, ["Frame"] = frame });
        return await renderer.Dispatcher.InvokeAsync(async () => (await renderer.RenderComponentAsync<T>(parameters)).ToHtmlString());
    }
}

/// <summary>What every page needs to know beside what it shows.</summary>
public sealed record PageFrame
{
    public static readonly PageFrame None = new() { FormToken = "", Path = "" };

    public Caller? Caller { get; init; }
    public required string FormToken { get; init; }
    public required string Path { get; init; }

    /// <summary>By the clock of the server, against which that of the reader's machine may be wrong.</summary>
    public DateTimeOffset Now { get; init; }
}
