using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;

namespace Helix.Runbooks.Runs;

/// <summary>Something that may happen now. The sequencer says what, the runner does it and records it.</summary>
public abstract record NextAction(string Path);

/// <summary>Start a step or engine item (its <c>when</c> is looked at first). Not before a time, after a failed attempt.</summary>
public sealed record Start(string Path, StepItem Item, DateTimeOffset? NotBefore = null) : NextAction(Path);

/// <summary>Look at the <c>when</c> of a block, and freeze the inputs of a sub-runbook.</summary>
public sealed record Enter(string Path, Item Item) : NextAction(Path);

/// <summary>Fix the list of a forEach.</summary>
public sealed record Freeze(string Path, ForEachItem Item) : NextAction(Path);

/// <summary>Ask the step what it did before it was interrupted.</summary>
public sealed record Probe(string Path, StepItem Item) : NextAction(Path);

/// <summary>A step failed for good, or stays in doubt: ask people.</summary>
public sealed record Ask(string Path, StepItem Item, QuestionKind Kind) : NextAction(Path);

/// <summary>Nothing to do but wait: for the answer to a question, or until a time.</summary>
public sealed record Await(string Path, string? Question, DateTimeOffset? Until) : NextAction(Path);

/// <summary>A block has a time limit that ends then.</summary>
public sealed record Limit(string Path, DateTimeOffset At) : NextAction(Path);

/// <summary>Stop what is under way at this path.</summary>
public sealed record Interrupt(string Path, string Reason) : NextAction(Path);

/// <summary>All is done.</summary>
public sealed record Finish(Outcome Outcome, string Reason) : NextAction("");
