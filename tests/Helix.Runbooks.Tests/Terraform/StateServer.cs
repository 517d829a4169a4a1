using System.Text.Json.Nodes;
using Helix.Runbooks.Tests.Http;

namespace Helix.Runbooks.Tests.Terraform;

/// <summary>Keeps one state and its lock, as the http backend of terraform asks for.</summary>
sealed class StateServer : IDisposable
{
    readonly HttpStub _http;
    volatile string _lock = "";

    public StateServer() => _http = new(Answer);

    public string Url => _http.Url;
    public string State { get; private set; } = "";
    public string? LockId => _lock.Length > 0 ? JsonNode.Parse(_lock)!["ID"]!.ToString() : null;

    StubAnswer Answer(StubRequest request)
    {
        switch (request.Method)
        {
            case "GET":
                return State.Length > 0 ? new(200, State) : new(404);
            case "POST":
                State = request.Body;
                return new(200);
            case "LOCK" when _lock.Length > 0:
                return new(423, _lock);
            case "LOCK":
                _lock = request.Body;
                return new(200);
            case "UNLOCK":
                _lock = "";
                return new(200);
            default:
                return new(405);
        }
    }

    public void Dispose() => _http.Dispose();
}
