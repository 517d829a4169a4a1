using System.ComponentModel;
using System.Globalization;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Kubernetes;

public sealed record KubernetesWaitOptions
{
    [Description("The cluster and namespace.")]
    [TargetName("kubernetes")]
    [Fixed]
    [Example("cluster")]
    public required string Target { get; init; }

    [Description("The object to look at, as kind/name.")]
    [Example("job/migrate")]
    public required string Object { get; init; }

    [Description("A condition that must be true.")]
    [Example("Complete")]
    public string? Condition { get; init; }

    [Description("A value of the object, as $.status.phase; see 'is'.")]
    [Example("$.status.phase")]
    public string? Path { get; init; }

    [Description("What the value at 'path' must be.")]
    [Example("Bound")]
    public string? Is { get; init; }

    [Description("Wait until the object is gone.")]
    public bool Gone { get; init; }

    [Description("Give up after this.")]
    public Duration Limit { get; init; } = new(TimeSpan.FromMinutes(5));
}

public sealed record KubernetesWaitOutputs
{
    [Description("What was seen last.")]
    public required string Value { get; init; }
}

[Step("kubernetes.wait", "Waits until an object has a condition or a value, or is gone.")]
public sealed class KubernetesWait : Step<KubernetesWaitOptions, KubernetesWaitOutputs>
{
    static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    public override IEnumerable<TargetEffect> Effects(KubernetesWaitOptions options) => [TargetEffect.Reads(options.Target)];

    public override async Task<KubernetesWaitOutputs> Run(KubernetesWaitOptions options, StepContext context)
    {
        if (new[] { options.Condition is not null, options.Path is not null && options.Is is not null, options.Gone }.Count(o => o) != 1)
            throw new RunbookException($"Nobody knows what to wait for at {options.Object}.", "Give one of 'condition', 'path' with 'is', and 'gone: true'.");
        var kubectl = new Kubectl(context.Target<KubernetesTarget>(options.Target), context);
        var start = context.Time.GetTimestamp();
        while (true)
        {
            var (done, value) = Judge(options, await kubectl.Find(options.Object));
            if (done)
                return new() { Value = value };
            if (context.Time.GetElapsedTime(start) >= options.Limit.Value)
                throw new StepFailedException(FailureClass.TimedOut, $"{options.Object} of {options.Target} was not as wanted within {options.Limit}: it is {value}.");
            await context.Delay(Look);
        }
    }

    static (bool Done, string Value) Judge(KubernetesWaitOptions options, JsonObject? json)
    {
        if (options.Gone || json is null)
            return (options.Gone && json is null, json is null ? "not there" : "still there");
        if (options.Path is { } path)
            return (DeclaredValues.At(json, path)?.ToString() is var value && value == options.Is, value ?? "without this value");
        var condition = (json["status"]?["conditions"] as JsonArray ?? []).OfType<JsonObject>().FirstOrDefault(c => c["type"]?.ToString() == options.Condition);
        if (condition is not null && IsOld(json, condition))
            return (false, $"{options.Condition} {condition["status"]} of the generation before; its controller has not seen the change yet");
        return (condition?["status"]?.ToString() == "True", condition is null ? $"without the condition {options.Condition}" : $"{options.Condition} {condition["status"]} {condition["reason"]} {condition["message"]}".TrimEnd());
    }

    /// <summary>Right after a change the condition still speaks of what was before. Objects without a generation in their status cannot be told.</summary>
    static bool IsOld(JsonObject json, JsonObject condition) =>
        Number(condition["observedGeneration"] ?? json["status"]?["observedGeneration"]) < Number(json["metadata"]?["generation"]);

    /// <summary>Some controllers write it as text.</summary>
    static long? Number(JsonNode? node) => long.TryParse(node?.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
