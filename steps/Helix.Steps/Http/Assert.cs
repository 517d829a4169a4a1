using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Http;

public sealed record AssertOptions
{
    [Description("What must be true.")]
    [Example("\"{{ steps.count.keys > 0 }}\"")]
    public required bool That { get; init; }

    [Description("What it means when it is not.")]
    [Example("The restored database is empty.")]
    public required string Message { get; init; }

    [Description("What to do then.")]
    public string? Hint { get; init; }
}

[Step("assert", "Fails the run when something is not true.")]
sealed class Assert : Step<AssertOptions, NoOutputs>
{
    public override IEnumerable<TargetEffect> Effects(AssertOptions options) => [];

    public override Task<NoOutputs> Run(AssertOptions options, StepContext context) =>
        options.That ? Task.FromResult(NoOutputs.Value) : throw StepFailedException.InvalidData(options.Message, options.Hint);
}
