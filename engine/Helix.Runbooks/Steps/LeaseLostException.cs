namespace Helix.Runbooks.Steps;

/// <summary>Another driver has a newer epoch: stop at once. It goes through what steps call.</summary>
public sealed class LeaseLostException(string run, long epoch, long? newer = null) : Exception(
    $"The lease of run {run} with epoch {epoch} is lost: {(newer is null ? "another driver has it, or the store was out of reach for so long that another may take it" : $"epoch {newer} holds it")}.");
