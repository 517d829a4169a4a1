using System.ComponentModel;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Http;

[JsonConverter(typeof(JsonStringEnumConverter<HttpVerb>))]
public enum HttpVerb
{
    [JsonStringEnumMemberName("GET")] Get,
    [JsonStringEnumMemberName("HEAD")] Head,
    [JsonStringEnumMemberName("POST")] Post,
    [JsonStringEnumMemberName("PUT")] Put,
    [JsonStringEnumMemberName("PATCH")] Patch,
    [JsonStringEnumMemberName("DELETE")] Delete,
}

public sealed record HttpRequestOptions : HttpQuestion, IDeclaresOutputs
{
    [Description("The method.")]
    public HttpVerb Method { get; init; } = HttpVerb.Get;

    [Description("The body as text.")]
    public string? Body { get; init; }

    [Description("The body as JSON; instead of text.")]
    public JsonNode? Json { get; init; }

    [Description("What later steps may use of the answer.")]
    public IReadOnlyDictionary<string, DeclaredOutput> Outputs { get; init; } = new Dictionary<string, DeclaredOutput>();
}

[Step("http.request", "Sends one HTTP request and takes values from the answer.", Repeatable = false, StatesEffect = true)]
sealed class HttpRequest : Step<HttpRequestOptions, DeclaredOutputs>
{
    public override IEnumerable<TargetEffect> Effects(HttpRequestOptions options) =>
        [options.Method is HttpVerb.Get or HttpVerb.Head ? TargetEffect.Reads(options.Target) : TargetEffect.Changes(options.Target)];

    public override Task<StepPlan> Plan(HttpRequestOptions options, PlanContext context) =>
        Task.FromResult(new StepPlan { Lines = [$"{Verb(options)} {options.Shown(context)}"] });

    public override async Task<DeclaredOutputs> Run(HttpRequestOptions options, StepContext context)
    {
        if (options.Body is not null && options.Json is not null)
            throw new RunbookException("http.request takes 'body' or 'json', not both.");
        using var call = new HttpCall(context, options);
        using var body = options.Json is { } json ? new StringContent(json.ToJsonString(), Encoding.UTF8, "application/json")
            : options.Body is { } text ? new StringContent(text, Encoding.UTF8) : null;
        var answer = await call.Send(Verb(options), body);
        context.Log($"{Verb(options)} {call.Shown}: {answer.Status}");
        call.Require(answer);
        return DeclaredValues.Read(options.Outputs, answer.Body, call.Shown);
    }

    static string Verb(HttpRequestOptions options) => options.Method.ToString().ToUpperInvariant();
}
