using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Terraform;

public sealed record TerraformUnlockOptions
{
    [Description("The configuration.")]
    [TargetName("terraform")]
    [Fixed]
    [Example("infra")]
    public required string Target { get; init; }

    [Description("The id of the lock, from the message that named its holder. A lock with another id stays.")]
    [Example("709cba17-b216-981e-6b7a-25b52a36dae2")]
    public required string LockId { get; init; }
}

[Step("terraform.unlock", "Takes the lock of a state away from a run that is gone; it needs an approval.", Repeatable = false)]
public sealed class TerraformUnlock : Step<TerraformUnlockOptions, NoOutputs>
{
    /// <summary>If the holder lives after all, two runs write one state.</summary>
    public override IEnumerable<TargetEffect> Effects(TerraformUnlockOptions options) =>
        [TargetEffect.Destroys(options.Target, $"the lock {options.LockId} of its state, and with it what its holder still writes")];

    public override Task<StepPlan> Plan(TerraformUnlockOptions options, PlanContext context) =>
        Task.FromResult(new StepPlan { Lines = [$"Take the lock {options.LockId} of the state of {options.Target} away."] });

    public override async Task<NoOutputs> Run(TerraformUnlockOptions options, StepContext context)
    {
        await (await new TerraformCall(context.Target<TerraformTarget>(options.Target), context).Tool("force-unlock", "-force", options.LockId) with { LogOutput = true }).Run();
        return NoOutputs.Value;
    }
}
