namespace Helix.Runbooks.Steps;

/// <summary>Why the world said no. Only <see cref="Transient"/> is retried unless the runbook says <c>on: any</c>.</summary>
public enum FailureClass
{
    Transient,
    Auth,
    Missing,
    Conflict,
    InvalidData,
    /// <summary>Some of it was done (tar 1, <c>aws s3</c> 2). A failure unless the step allows it.</summary>
    Partial,
    /// <summary>The time limit passed; what was done is not known.</summary>
    TimedOut,
    Cancelled,
    Bug,
}

/// <summary>The user's to fix: wrong text, input, environment or command line. Nothing was done. Exit code 2.</summary>
public sealed class RunbookException(string message, string? hint = null) : Exception(message)
{
    /// <summary>What to do next, without the word "Hint".</summary>
    public string? Hint { get; } = hint;
}

/// <summary>The world said no to a step. The message says what happened to which thing.</summary>
public sealed class StepFailedException(FailureClass failure, string message, string? hint = null, Exception? inner = null)
    : Exception(message, inner)
{
    public FailureClass Failure { get; } = failure;
    public string? Hint { get; } = hint;

    public static StepFailedException Transient(string message, string? hint = null) => new(FailureClass.Transient, message, hint);
    public static StepFailedException Auth(string message, string? hint = null) => new(FailureClass.Auth, message, hint);
    public static StepFailedException Missing(string message, string? hint = null) => new(FailureClass.Missing, message, hint);
    public static StepFailedException Conflict(string message, string? hint = null) => new(FailureClass.Conflict, message, hint);
    public static StepFailedException InvalidData(string message, string? hint = null) => new(FailureClass.InvalidData, message, hint);
    public static StepFailedException Partial(string message, string? hint = null) => new(FailureClass.Partial, message, hint);
}
