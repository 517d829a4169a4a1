namespace Helix.Runbooks.Model.Rules;

/// <summary>All rules; the order does not matter.</summary>
static class RuleBook
{
    public static IReadOnlyList<Rule> All { get; } =
    [
        new DestructionWithoutApproval(),
        new LoadOfUnknownFile(),
        new FoldedScript(),
        new SleepBeforeCopy(),
        new RemovedProcedure(),
        new ExecAfterStop(),
        new WholeSecretReply(),
        new VaultBeforeItIsBack(),
        new ForcedRestoreWithoutOrigin(),
        new DestroyingLoopWithoutCap(),
        new MisusedStep(),
    ];
}
