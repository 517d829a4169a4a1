using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Kubernetes;

public sealed record KubernetesSecretOptions
{
    [Description("The cluster and namespace.")]
    [TargetName("kubernetes")]
    [Fixed]
    [Example("cluster")]
    public required string Target { get; init; }

    [Description("The name of the secret.")]
    [Fixed]
    [RegularExpression("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", ErrorMessage = "{0} must be a name of small letters, digits, hyphens and dots.")]
    [Example("helix-secrets")]
    public required string Name { get; init; }

    [Description("Its fields, each from one reference, byte for byte.")]
    [MinLength(1)]
    [Example("{ NEO4J_PASSWORD: \"vault:vault/secret/helix#neo4j_password\" }")]
    public required IReadOnlyDictionary<string, Secret> Fields { get; init; }

    [Description("Its type, as kubernetes.io/tls.")]
    public string Type { get; init; } = "Opaque";
}

public sealed record KubernetesSecretOutputs
{
    [Description("The names of the fields.")]
    public required IReadOnlyList<string> Fields { get; init; }

    [Description("False when the secret was the same before.")]
    public required bool Changed { get; init; }
}

[Step("kubernetes.secret", "Makes a secret of named fields with their exact bytes, and reads it back.")]
public sealed class KubernetesSecret : Step<KubernetesSecretOptions, KubernetesSecretOutputs>
{
    public override IEnumerable<TargetEffect> Effects(KubernetesSecretOptions options) => [TargetEffect.Changes(options.Target)];

    public override Task<StepPlan> Plan(KubernetesSecretOptions options, PlanContext context) =>
        Task.FromResult(new StepPlan { Lines = [$"Write the fields {string.Join(", ", options.Fields.Keys)} of the secret {options.Name} in {options.Target}."] });

    public override async Task<KubernetesSecretOutputs> Run(KubernetesSecretOptions options, StepContext context)
    {
        var kubectl = new Kubectl(context.Target<KubernetesTarget>(options.Target), context);
        var data = await Data(options, context);
        var before = await kubectl.Find($"secret/{options.Name}");
        if (JsonNode.DeepEquals(before?["data"], data))
            return new() { Fields = [.. options.Fields.Keys], Changed = false };
        var manifest = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["type"] = options.Type,
            ["data"] = data.DeepClone(),
            ["metadata"] = new JsonObject { ["name"] = options.Name },
        };
        await kubectl.Send(manifest.ToJsonString(), "apply", "--server-side", "--force-conflicts", $"--field-manager={Kubectl.Manager}", "-f", "-");
        var now = (await kubectl.Get($"secret/{options.Name}"))["data"] as JsonObject ?? [];
        foreach (var (field, value) in data)
            if (now[field]?.ToString() != value!.ToString())
                throw StepFailedException.InvalidData($"The field {field} of the secret {options.Name} is not what was written.", "Something in the cluster writes it, too.");
        if (now.Select(f => f.Key).Except(options.Fields.Keys).ToList() is { Count: > 0 } others)
            context.Log($"The secret {options.Name} has fields that somebody else wrote: {string.Join(", ", others)}");
        return new() { Fields = [.. options.Fields.Keys], Changed = true };
    }

    static async Task<JsonObject> Data(KubernetesSecretOptions options, StepContext context)
    {
        var data = new JsonObject();
        foreach (var (field, secret) in options.Fields)
            data[field] = Convert.ToBase64String(Encoding.UTF8.GetBytes(await context.Reveal(secret)));
        return data;
    }

    public override Task<ProbeResult<KubernetesSecretOutputs>> Probe(KubernetesSecretOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<KubernetesSecretOutputs>.NotDone("writing the same fields again changes nothing"));
}
