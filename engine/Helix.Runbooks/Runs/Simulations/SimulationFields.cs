using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs.Simulations;

// The fields of a simulation file, as they are written.

sealed record SimulationFields
{
    [Description("The version of the language: helix.runbooks/v1."), Required]
    public ApiVersion? ApiVersion { get; init; }

    [Description("The file of the runbook; relative to this file."), Required]
    public string? Runbook { get; init; }

    [Description("The file of the environment; relative to this file. Nothing in it is touched."), Required]
    public string? Environment { get; init; }

    [Description("The stories, each played on its own."), Required]
    public ItemsField? Scenarios { get; init; }
}

sealed record ScenarioFields
{
    [Description("What the story is about."), Required]
    public string? Name { get; init; }

    [Description("Values of the runbook's inputs.")]
    public OptionsField? Inputs { get; init; }

    [Description("A person started the run: a step that fails asks.")]
    public bool? Attended { get; init; }

    [Description("live or drill.")]
    public PlayedMode? Mode { get; init; }

    [Description("Path of a step to its result, or to a list of results one after the other.")]
    public OptionsField? Results { get; init; }

    [Description("How the run must end."), Required]
    public ExpectFields? Expect { get; init; }
}

enum PlayedMode { Live, Drill }

sealed record ExpectFields
{
    [Description("How the run ends."), Required]
    public Outcome? Outcome { get; init; }

    [Description("Steps that are started.")]
    public IReadOnlyList<string>? Ran { get; init; }

    [Description("Steps and blocks that are skipped.")]
    public IReadOnlyList<string>? Skipped { get; init; }

    [Description("Steps that are never started.")]
    public IReadOnlyList<string>? NotRun { get; init; }
}

sealed record ResultFields
{
    [Description("What the step puts out; what is left out has a stand-in.")]
    public OptionsField? Outputs { get; init; }

    [Description("The attempt fails.")]
    public FailsFields? Fails { get; init; }

    [Description("What somebody answers when asked about the step.")]
    public Answered? Decision { get; init; }

    [Description("Who answers; without it the first who may.")]
    public string? By { get; init; }

    [Description("Why.")]
    public string? Reason { get; init; }

    [Description("For go-back: the step.")]
    public string? To { get; init; }

    [Description("The form of the question; for go-back inputs of the runbook.")]
    public OptionsField? Inputs { get; init; }
}

sealed record FailsFields
{
    [Description("The class of the failure."), Required]
    public FailureClass? Class { get; init; }

    [Description("The message.")]
    public string? Message { get; init; }
}

enum Answered { Approve, Reject, Done, Failed, Retry, Skip, Abort, GoBack, Override, Expire, Cancel }
