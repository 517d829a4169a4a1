using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Helix.Runbooks.Tests.Http;

sealed record StubRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body);

sealed record StubAnswer(int Status, string Body = "", IReadOnlyDictionary<string, string>? Headers = null);

/// <summary>A real HTTP server on a free port that answers what the test says, one request after the other, and keeps what it was asked.</summary>
sealed class HttpStub : IDisposable
{
    readonly Lock _answering = new();
    readonly Func<StubRequest, StubAnswer> _answer;
    readonly StubListener _listener;
    readonly ConcurrentDictionary<string, bool> _connections = new();

    public HttpStub(Func<StubRequest, StubAnswer> answer)
    {
        _answer = answer;
        var port = Ports.Free();
        Url = $"http://127.0.0.1:{port}/";
        _listener = new StubListener(port, Answer);
    }

    public string Url { get; }
    public ConcurrentQueue<StubRequest> Requests { get; } = new();

    /// <summary>How many were opened to ask something.</summary>
    public int Connections => _connections.Count;

    async Task Answer(HttpContext context)
    {
        var headers = context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        var request = new StubRequest(context.Request.Method, StubListener.Target(context), headers, Encoding.UTF8.GetString(await StubListener.Body(context)));
        _connections[context.Connection.Id] = true;
        StubAnswer answer;
        lock (_answering)
        {
            Requests.Enqueue(request);
            answer = _answer(request);
        }
        foreach (var (name, value) in answer.Headers ?? new Dictionary<string, string>())
            context.Response.Headers[name] = value;
        await StubListener.Send(context, answer.Status, answer.Body);
    }

    public void Dispose() => _listener.Dispose();
}
