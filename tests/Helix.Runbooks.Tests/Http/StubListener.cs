using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Helix.Runbooks.Tests.Http;

/// <summary>
/// What all stubs of HTTP servers listen with. <c>System.Net.HttpListener</c> will not do: somebody who connects while it starts ends
/// its process (dotnet/corefx, issue 35191), and whoever waits until a server is ready connects again and again.
/// </summary>
sealed class StubListener : IDisposable
{
    readonly WebApplication _app;

    public StubListener(int port, RequestDelegate answer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k =>
        {
            k.Limits.MaxRequestBodySize = null;
            k.Listen(IPAddress.Loopback, port, l => l.Protocols = HttpProtocols.Http1);
        });
        _app = builder.Build();
        _app.Run(answer);
        _app.StartAsync().GetAwaiter().GetResult();
    }

    /// <summary>The path and the query as they were sent.</summary>
    public static string Target(HttpContext context) => context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;

    public static async Task<byte[]> Body(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        return body.ToArray();
    }

    public static Task Send(HttpContext context, int status, string text, string? type = null) => Send(context, status, Encoding.UTF8.GetBytes(text), type);

    public static async Task Send(HttpContext context, int status, byte[] bytes, string? type = null)
    {
        context.Response.StatusCode = status;
        if (type is not null)
            context.Response.ContentType = type;
        context.Response.ContentLength = bytes.Length;
        if (context.Request.Method != "HEAD")
            await context.Response.Body.WriteAsync(bytes);
    }

    /// <summary>Answers that are under way are cut off.</summary>
    public void Dispose()
    {
        _app.StopAsync(new CancellationToken(canceled: true)).GetAwaiter().GetResult();
        ((IDisposable)_app).Dispose();
    }
}
