using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace Helix.Runbooks.Tests.Http;

sealed record StubRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body);

sealed record StubAnswer(int Status, string Body = "", IReadOnlyDictionary<string, string>? Headers = null);

/// <summary>A real HTTP server on a free port that answers what the test says, and keeps what it was asked.</summary>
sealed class HttpStub : IDisposable
{
    readonly HttpListener _listener = new();
    readonly Func<StubRequest, StubAnswer> _answer;

    public HttpStub(Func<StubRequest, StubAnswer> answer)
    {
        _answer = answer;
        Url = $"http://127.0.0.1:{Ports.Free()}/";
        _listener.Prefixes.Add(Url);
        _listener.Start();
        _ = Serve();
    }

    public string Url { get; }
    public ConcurrentQueue<StubRequest> Requests { get; } = new();

    async Task Serve()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            await Answer(context);
        }
    }

    async Task Answer(HttpListenerContext context)
    {
        using var reader = new StreamReader(context.Request.InputStream, Encoding.UTF8);
        var request = new StubRequest(context.Request.HttpMethod, context.Request.RawUrl!, context.Request.Headers.AllKeys.ToDictionary(k => k!, k => context.Request.Headers[k]!), await reader.ReadToEndAsync());
        Requests.Enqueue(request);
        var answer = _answer(request);
        context.Response.StatusCode = answer.Status;
        foreach (var (name, value) in answer.Headers ?? new Dictionary<string, string>())
            context.Response.Headers[name] = value;
        var bytes = Encoding.UTF8.GetBytes(answer.Body);
        context.Response.ContentLength64 = bytes.Length;
        if (request.Method != "HEAD")
            await context.Response.OutputStream.WriteAsync(bytes);
        context.Response.Close();
    }

    public void Dispose() => _listener.Close();
}
