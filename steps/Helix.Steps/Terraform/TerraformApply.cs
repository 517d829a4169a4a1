using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Terraform;

public record SavedPlanOptions
{
    [Description("The configuration.")]
    [TargetName("terraform")]
    [Fixed]
    [Example("infra")]
    public required string Target { get; init; }

    [Description("The plan that terraform.plan saved.")]
    [Example("\"{{ steps.plan.file }}\"")]
    public required string Plan { get; init; }

    [Description("The digest of the plan, as the approval showed it; any other file is refused.")]
    [RegularExpression("^[0-9a-f]{64}$", ErrorMessage = "{0} must be the sha256 that terraform.plan put out.")]
    [Example("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    public required string Sha256 { get; init; }

    [Description("How long a state that somebody else has locked is waited for.")]
    public Duration LockWait { get; init; } = new(TimeSpan.FromMinutes(2));

    [Description("After a cancel: how long terraform may take to end what it has begun before it is asked a second time, which loses track of it.")]
    public Duration StopWait { get; init; } = new(TimeSpan.FromMinutes(10));
}

public sealed record TerraformApplyOptions : SavedPlanOptions
{
    [Description("The plan may remove or replace resources. Without this such a plan is refused.")]
    [Fixed]
    public bool MayDestroy { get; init; }
}

public sealed record TerraformApplyOutputs
{
    public required int Added { get; init; }
    public required int Changed { get; init; }
    public required int Removed { get; init; }

    [Description("The outputs of the configuration; one that is marked as sensitive reads \"***\".")]
    public required IReadOnlyDictionary<string, JsonNode?> Outputs { get; init; }
}

[Step("terraform.apply", "Does exactly what a saved plan says, once that very plan was approved.", Repeatable = false)]
public sealed class TerraformApply : Step<TerraformApplyOptions, TerraformApplyOutputs>
{
    public override IEnumerable<TargetEffect> Effects(TerraformApplyOptions options) =>
        [(options.MayDestroy ? TargetEffect.Destroys(options.Target, "the resources that the plan removes or replaces") : TargetEffect.Changes(options.Target)) with { LoadsFrom = "plan" }];

    public override Task<StepPlan> Plan(TerraformApplyOptions options, PlanContext context) =>
        Task.FromResult(new StepPlan { Lines = [$"Apply the saved plan of {options.Target}{(options.MayDestroy ? ", which may remove or replace resources" : "; one that removes or replaces anything is refused")}."] });

    public override Task<TerraformApplyOutputs> Run(TerraformApplyOptions options, StepContext context) =>
        new SavedPlan(options, context).Apply(contents =>
        {
            if (contents.Destroys && !options.MayDestroy)
                throw StepFailedException.Conflict($"The plan would {string.Join(", ", contents.Changes.Where(c => c.Destroys))}.", "If that is meant, say mayDestroy: true, and have it approved.");
        });

    public override Task<ProbeResult<TerraformApplyOutputs>> Probe(TerraformApplyOptions options, StepContext context) => new SavedPlan(options, context).Probe();
}
