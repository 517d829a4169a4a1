using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

/// <summary>Fields that every item of a list of steps may have.</summary>
abstract record ItemFields
{
    [Description("Names the step in expressions, messages and on the command line; unique in the runbook. Needed for a step."), RegularExpression(Names.IdPattern)]
    public string? Id { get; init; }

    [Description("A name for people.")]
    public string? Name { get; init; }

    [Description("An expression that gives true or false; when false the step is skipped and the record says why.")]
    public bool? When { get; init; }

    [Description("Time limits: a duration for the whole of it, or a map.")]
    public TimeoutFields? Timeout { get; init; }

    [Description("What a failure means after the retries. Without it: ask where a person started the run, else abort.")]
    public IfFails? IfFails { get; init; }
}

/// <summary>One typed step.</summary>
sealed record StepFields : ItemFields
{
    [Description("The step type, system.verb."), Required]
    public string? Uses { get; init; }

    [Description("The options of the step type.")]
    public OptionsField? With { get; init; }

    [Description("How a failed attempt is tried again.")]
    public RetryFields? Retry { get; init; }

    [Description("What the step does to its target, for step types that cannot know: reads, interrupts, changes, destroys.")]
    public Effect? Effect { get; init; }
}

abstract record BlockFields : ItemFields
{
    [Description("Done once when this block gives up.")]
    public ItemsField? Rescue { get; init; }

    [Description("Done once when this block ends, whatever the end.")]
    public ItemsField? Finally { get; init; }
}

/// <summary>Branches that run at the same time.</summary>
sealed record ParallelFields : BlockFields
{
    [Description("Lists of steps that run at the same time; the block ends when all have ended."), Required, Example("[[{ id: a, uses: … }], [{ id: b, uses: … }]]")]
    public BranchesField? Parallel { get; init; }

    [Description("The first failure asks the other branches to stop.")]
    public bool? FailFast { get; init; }
}

/// <summary>A group: what it says holds for the whole of it.</summary>
sealed record GroupFields : BlockFields
{
    [Description("The steps of the group."), Required]
    public ItemsField? Steps { get; init; }
}

/// <summary>The same steps once for each element of a list.</summary>
sealed record ForEachFields : BlockFields
{
    [Description("An expression that gives a list, or a list; `as` names its element in `steps`."), Required, Example("\"{{ vars.databases }}\"")]
    public IReadOnlyList<System.Text.Json.Nodes.JsonNode>? ForEach { get; init; }

    [Description("The name of the element in expressions."), RegularExpression(Names.IdPattern)]
    public string? As { get; init; }

    [Description("How many elements are worked on at the same time."), Range(1, 1000)]
    public int? MaxParallel { get; init; }

    [Description("A longer list is refused, before anything is done with its first element."), Range(0, 1_000_000)]
    public int? AtMost { get; init; }

    [Description("The first failure asks the other elements to stop.")]
    public bool? FailFast { get; init; }

    [Description("What is done for each element."), Required]
    public ItemsField? Steps { get; init; }
}

/// <summary>Another runbook as one step.</summary>
sealed record RunbookStepFields : BlockFields
{
    [Description("runbook: another runbook as one step."), Required]
    public string? Uses { get; init; }

    [Description("The file and its inputs."), Required]
    public RunbookStepOptions? With { get; init; }
}

sealed record RunbookStepOptions
{
    [Description("The file of the runbook, relative to this file."), NoTemplate, Example("restore-redis.yaml")]
    public required string File { get; init; }

    [Description("Input name to value.")]
    public IReadOnlyDictionary<string, System.Text.Json.Nodes.JsonNode> Inputs { get; init; } = new Dictionary<string, System.Text.Json.Nodes.JsonNode>();
}
