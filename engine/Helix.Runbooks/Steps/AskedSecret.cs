namespace Helix.Runbooks.Steps;

/// <summary>A secret that a person types while the step waits. It goes to the living driver only and is stored nowhere.</summary>
public sealed record SecretRequest
{
    /// <summary>What is given, in a word: <c>share</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for, for those who are asked.</summary>
    public required string Message { get; init; }

    /// <summary>Who may give it: accounts, or <c>group:NAME</c>. Nobody named: whoever may reach the driver.</summary>
    public IReadOnlyList<string> From { get; init; } = [];

    /// <summary>Who has given theirs already.</summary>
    public IReadOnlyList<string> NotAgain { get; init; } = [];
    public required TimeSpan Within { get; init; }
}

public sealed record GivenSecret(string By, string Value)
{
    public override string ToString() => $"{By}: ***";
}
