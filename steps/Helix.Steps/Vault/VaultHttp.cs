using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Http;

namespace Helix.Steps.Vault;

/// <summary>What Vault answered; <see cref="Body"/> is null when it was no JSON object.</summary>
sealed record VaultAnswer(int Status, JsonObject? Body)
{
    public bool Ok => Status is >= 200 and < 300;
    public JsonObject? Data => Body?["data"] as JsonObject;
    public string Errors => Body?["errors"] is JsonArray { Count: > 0 } list ? string.Join("; ", list.Select(e => HttpCall.Short(e?.ToString() ?? ""))) : $"status {Status}";
}

/// <summary>Speaks HTTP with one Vault. Knows nothing of the life of tokens.</summary>
sealed class VaultHttp(VaultTarget target, PlanContext context) : IDisposable
{
    readonly HttpClient _client = context.Http(new() { Timeout = target.Timeout.Value, ConnectTimeout = target.Timeout.Value, CaFile = target.CaFile });

    public string Name => $"vault '{target.Name}'";

    /// <returns>Whatever it answered.</returns>
    /// <exception cref="StepFailedException">Transient: nothing was answered.</exception>
    public Task<VaultAnswer> Send(HttpMethod method, string path, JsonNode? body = null, string? token = null) => Guard(async () =>
    {
        using var request = Request(method, path, token);
        request.Content = body is null ? null : new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await _client.SendAsync(request, context.Cancelled);
        return await Read(response);
    });

    /// <summary>Streams an answer of any length into a file; when it is a refusal, the file stays empty and the refusal comes back.</summary>
    public Task<VaultAnswer> Fetch(string path, Stream to, string? token) => Unlimited(async client =>
    {
        using var request = Request(HttpMethod.Get, path, token);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.Cancelled);
        if (!response.IsSuccessStatusCode)
            return await Read(response);
        await using var from = await response.Content.ReadAsStreamAsync(context.Cancelled);
        await from.CopyToAsync(to, context.Cancelled);
        return new VaultAnswer((int)response.StatusCode, null);
    });

    public Task<VaultAnswer> Put(string path, Stream from, string? token) => Unlimited(async client =>
    {
        using var request = Request(HttpMethod.Post, path, token);
        request.Content = new StreamContent(from);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using var response = await client.SendAsync(request, context.Cancelled);
        return await Read(response);
    });

    HttpRequestMessage Request(HttpMethod method, string path, string? token)
    {
        var request = new HttpRequestMessage(method, $"{target.Url.TrimEnd('/')}/v1/{path}");
        request.Headers.TryAddWithoutValidation("X-Vault-Request", "true");
        if (target.Namespace is { } space)
            request.Headers.TryAddWithoutValidation("X-Vault-Namespace", space);
        if (token is not null)
            request.Headers.TryAddWithoutValidation("X-Vault-Token", token);
        return request;
    }

    async Task<VaultAnswer> Read(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync(context.Cancelled);
        try
        {
            return new((int)response.StatusCode, JsonNode.Parse(text) as JsonObject);
        }
        catch (JsonException)
        {
            return new((int)response.StatusCode, null);
        }
    }

    /// <summary>A snapshot may take as long as it moves; the step's own limits end it.</summary>
    async Task<VaultAnswer> Unlimited(Func<HttpClient, Task<VaultAnswer>> work)
    {
        using var client = context.Http(new() { Timeout = System.Threading.Timeout.InfiniteTimeSpan, ConnectTimeout = target.Timeout.Value, CaFile = target.CaFile });
        return await Guard(() => work(client));
    }

    async Task<VaultAnswer> Guard(Func<Task<VaultAnswer>> work)
    {
        try
        {
            return await work();
        }
        catch (HttpRequestException e)
        {
            throw new StepFailedException(FailureClass.Transient, $"{Name} at {target.Url} does not answer: {HttpCall.Reason(e)}.", null, e);
        }
        catch (HttpIOException e)
        {
            throw new StepFailedException(FailureClass.Transient, $"{Name} at {target.Url} broke off: {e.HttpRequestError}.", null, e);
        }
        catch (OperationCanceledException e) when (!context.Cancelled.IsCancellationRequested)
        {
            throw new StepFailedException(FailureClass.Transient, $"{Name} at {target.Url} did not answer within {target.Timeout}.", null, e);
        }
    }

    public void Dispose() => _client.Dispose();
}
