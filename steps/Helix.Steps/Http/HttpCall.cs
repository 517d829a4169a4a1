using System.ComponentModel;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Http;

/// <summary>What to ask a server.</summary>
public record HttpQuestion
{
    [Description("The target to ask.")]
    [TargetName("http")]
    public string? Target { get; init; }

    [Description("The whole address; instead of a target.")]
    [Example("https://dashboard.example.com/api/health")]
    public string? Url { get; init; }

    [Description("Added to the target's address.")]
    [Example("/api/health")]
    public string? Path { get; init; }

    [Description("Headers.")]
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    [Description("Headers whose values are secret.")]
    public IReadOnlyDictionary<string, Secret> SecretHeaders { get; init; } = new Dictionary<string, Secret>();

    [Description("Sent as `Authorization: Bearer …`.")]
    public Secret? Bearer { get; init; }

    [Description("The status codes that are right. Default: 200 to 299.")]
    [Example("[200, 204]")]
    public IReadOnlyList<int> Expect { get; init; } = [];

    [Description("How long one request may take.")]
    public Duration Timeout { get; init; } = new(TimeSpan.FromSeconds(10));

    /// <exception cref="RunbookException">Neither target nor address, or both.</exception>
    internal Uri Address(PlanContext context)
    {
        if (Target is null == Url is null)
            throw new RunbookException("An HTTP step needs either 'target' or 'url'.");
        var text = Url ?? context.Target<HttpTarget>(Target!).Url;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var start) || start.Scheme is not "http" and not "https")
            throw new RunbookException($"'{text}' is no HTTP address.", "Write http://host:port/path or https://…");
        return Path is null ? start : new Uri(start.GetLeftPart(UriPartial.Path).TrimEnd('/') + "/" + Path.TrimStart('/'));
    }

    /// <summary>For messages: without query and user, which may be secret.</summary>
    internal string Shown(PlanContext context) => Shown(Address(context));

    internal static string Shown(Uri address) => address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
}

sealed record HttpAnswer(int Status, string Body)
{
    /// <summary>Where it sends to, without query and user; null where it does not, or was followed.</summary>
    public string? Location { get; init; }

    public string Words => Location is null ? $"{(HttpStatusCode)Status}: {HttpCall.Short(Body)}" : $"{(HttpStatusCode)Status}, and sends to {Location}";

    public JsonNode? Json()
    {
        try
        {
            return JsonNode.Parse(Body);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }
}

/// <summary>Asks one server, again and again if need be, and says what its refusals mean.</summary>
sealed class HttpCall(PlanContext context, HttpQuestion question) : IDisposable
{
    const int MostBytes = 16 << 20;
    const int MostHops = 10;

    readonly HttpClient _client = context.Http(new()
    {
        // The time of one request is counted here: the client's own ends with the headers.
        Timeout = Timeout.InfiniteTimeSpan,
        ConnectTimeout = question.Timeout,
        FollowRedirects = false,
        CaFile = question.Target is { } name ? context.Target<HttpTarget>(name).CaFile : null,
    });

    public string Shown { get; } = question.Shown(context);

    /// <returns>Whatever the server answered.</returns>
    /// <exception cref="StepFailedException">Transient: nothing was answered, or not all of it.</exception>
    /// <exception cref="OperationCanceledException">The step was cancelled, or <paramref name="limit"/> came before the time of one request was over.</exception>
    public async Task<HttpAnswer> Send(string method = "GET", HttpContent? body = null, CancellationToken limit = default)
    {
        using var timeout = new CancellationTokenSource(question.Timeout, context.Time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, context.Cancelled, limit);
        try
        {
            return await Follow(method, body, end.Token);
        }
        catch (HttpRequestException e)
        {
            throw new StepFailedException(FailureClass.Transient, $"{Shown} does not answer: {Reason(e)}.", null, e);
        }
        catch (IOException e)
        {
            throw new StepFailedException(FailureClass.Transient, $"{Shown} broke off in the middle of its answer.", null, e);
        }
        catch (OperationCanceledException e) when (!context.Cancelled.IsCancellationRequested && !limit.IsCancellationRequested)
        {
            throw new StepFailedException(FailureClass.Transient, $"{Shown} did not answer within {question.Timeout}.", null, e);
        }
    }

    async Task<HttpAnswer> Follow(string method, HttpContent? body, CancellationToken end)
    {
        var address = question.Address(context);
        for (var hops = 0; hops <= MostHops; hops++)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), address) { Content = body };
            await AddHeaders(request);
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, end);
            var to = Redirects.Of(response, address);
            if (to is null || question.Expect.Contains((int)response.StatusCode) || method is not "GET" and not "HEAD" || !Redirects.MayFollow(address, to, HasSecrets))
                return new((int)response.StatusCode, await Body(response, end)) { Location = to is null ? null : HttpQuestion.Shown(to) };
            address = to;
        }
        throw StepFailedException.InvalidData($"{Shown} sends from one address to the next, more than {MostHops} times.");
    }

    /// <summary>Something that is nobody else's business than this server's.</summary>
    bool HasSecrets => question.Bearer is not null || question.SecretHeaders.Count > 0
        || question.Target is { } name && context.Target<HttpTarget>(name).Headers.Count > 0
        || question.Headers.Keys.Any(h => h.Equals("Authorization", StringComparison.OrdinalIgnoreCase) || h.Equals("Cookie", StringComparison.OrdinalIgnoreCase));

    public bool IsExpected(HttpAnswer answer) =>
        question.Expect.Count == 0 ? answer.Status is >= 200 and < 300 : question.Expect.Contains(answer.Status);

    /// <exception cref="StepFailedException">The status is none of those expected; the class says what that means.</exception>
    public void Require(HttpAnswer answer)
    {
        if (!IsExpected(answer))
            throw new StepFailedException(ClassOf(answer.Status), $"{Shown} answered {answer.Status} {answer.Words}",
                $"Expected: {(question.Expect.Count == 0 ? "200 to 299" : string.Join(", ", question.Expect))}.{(answer.Location is null ? "" : " Only GET and HEAD are sent on, and secrets never to another server: if that is the right address, write it.")}");
    }

    /// <summary>What went wrong below HTTP, without addresses: they may hold secrets.</summary>
    public static string Reason(HttpRequestException e) =>
        e.InnerException is System.Net.Sockets.SocketException socket ? socket.SocketErrorCode.ToString() : e.HttpRequestError.ToString();

    public static FailureClass ClassOf(int status) => status switch
    {
        408 or 425 or 429 or >= 500 => FailureClass.Transient,
        401 or 403 or 407 => FailureClass.Auth,
        404 or 410 => FailureClass.Missing,
        409 or 412 => FailureClass.Conflict,
        _ => FailureClass.InvalidData,
    };

    public static string Short(string text)
    {
        var line = text.ReplaceLineEndings(" ").Trim();
        return line.Length <= 200 ? line : line[..200] + "…";
    }

    async Task AddHeaders(HttpRequestMessage request)
    {
        foreach (var (name, value) in question.Headers)
            Add(request, name, value);
        var target = question.Target is { } target_ ? context.Target<HttpTarget>(target_).Headers : new Dictionary<string, Secret>();
        foreach (var (name, secret) in target.Concat(question.SecretHeaders))
            Add(request, name, await context.Reveal(secret));
        if (question.Bearer is { } bearer)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await context.Reveal(bearer));
    }

    static void Add(HttpRequestMessage request, string name, string value)
    {
        if (name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase) && request.Content is { } content)
            content.Headers.ContentType = MediaTypeHeaderValue.Parse(value);
        else if (!request.Headers.TryAddWithoutValidation(name, value))
            throw new RunbookException($"'{name}' cannot be a header of the request.");
    }

    async Task<string> Body(HttpResponseMessage response, CancellationToken end)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(end);
        using var kept = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = await stream.ReadAsync(buffer, end)) > 0;)
        {
            kept.Write(buffer, 0, read);
            if (kept.Length > MostBytes)
                throw StepFailedException.InvalidData($"{Shown} answered with more than {ByteSize.Words(MostBytes)}.", "Fetch files with a command.");
        }
        return Encoding.UTF8.GetString(kept.GetBuffer(), 0, (int)kept.Length);
    }

    public void Dispose() => _client.Dispose();
}
