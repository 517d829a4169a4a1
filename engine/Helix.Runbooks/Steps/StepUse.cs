using System.Text.Json.Nodes;

namespace Helix.Runbooks.Steps;

/// <summary>A step type that knows what is wrong, or nearly always wrong, in how a runbook uses it. Pure: what it finds is shown by `helix validate`.</summary>
public interface IJudgesUse
{
    IEnumerable<UseFault> Judge(StepUse use);
}

/// <summary>One use of a step type as it is written; values may be templates.</summary>
public sealed record StepUse(JsonObject With)
{
    /// <summary>The targets, when an environment is read along.</summary>
    public EnvironmentTargets? Targets { get; init; }

    /// <summary>A condition decides whether it runs at all, as on what kind of backup there is.</summary>
    public bool Sometimes { get; init; }

    /// <summary>Type and options of every step of the runbook.</summary>
    public IReadOnlyList<(string Uses, JsonObject With)> All { get; init; } = [];

    /// <summary>An option that is a text and no template.</summary>
    public string? Text(string option) => TextIn(With, option);

    public static string? TextIn(JsonObject with, string option) =>
        with[option] is JsonValue value && value.TryGetValue<string>(out var text) && !text.Contains("{{", StringComparison.Ordinal) ? text : null;

    /// <summary>A fault unless one of two options, and not both, is given.</summary>
    public IEnumerable<UseFault> OneOf(string step, string one, string other) => (With.ContainsKey(one), With.ContainsKey(other)) switch
    {
        (false, false) => [new UseFault("one-of", one, $"{step} needs '{one}' or '{other}'.", $"`helix explain {step}` shows both.")],
        (true, true) => [new UseFault("one-of", other, $"{step} takes either '{one}' or '{other}', and here are both.", "Remove one of them.")],
        _ => [],
    };

    /// <summary>The target that an option names, if it is known and of this kind.</summary>
    public T? Target<T>(string option) where T : Target => Text(option) is { } name ? Targets?.All.GetValueOrDefault(name) as T : null;
}

/// <summary>What is wrong, at which option. An error, unless it is only nearly always wrong.</summary>
public sealed record UseFault(string Rule, string Option, string Message, string? Hint)
{
    public bool IsWarning { get; init; }
}
