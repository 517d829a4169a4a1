using Helix.Runbooks.Steps;

namespace Helix.Steps.Terraform;

public sealed record TerraformDestroyOptions : SavedPlanOptions;

[Step("terraform.destroy", "Removes what a saved plan of removal names, once that very plan was approved.", Repeatable = false)]
public sealed class TerraformDestroy : Step<TerraformDestroyOptions, TerraformApplyOutputs>
{
    public override IEnumerable<TargetEffect> Effects(TerraformDestroyOptions options) =>
        [TargetEffect.Destroys(options.Target, "all resources that the plan of removal names") with { LoadsFrom = "plan" }];

    public override Task<StepPlan> Plan(TerraformDestroyOptions options, PlanContext context) =>
        Task.FromResult(new StepPlan { Lines = [$"Remove from {options.Target} what the saved plan names."] });

    public override Task<TerraformApplyOutputs> Run(TerraformDestroyOptions options, StepContext context) =>
        new SavedPlan(options, context).Apply(contents =>
        {
            if (contents.Changes.FirstOrDefault(c => c.Action != "delete") is { } other)
                throw StepFailedException.Conflict($"The plan is no plan of removal: it would also {other}.", "Make it with destroy: true.");
        });

    public override Task<ProbeResult<TerraformApplyOutputs>> Probe(TerraformDestroyOptions options, StepContext context) => new SavedPlan(options, context).Probe();
}
