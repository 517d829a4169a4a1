using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

// The fields of the two kinds of document, as they are written. Reader, schema and explain derive from these.

[Block(BlockKind.Items)] sealed class ItemsField;
[Block(BlockKind.Branches)] sealed class BranchesField;
[Block(BlockKind.Options)] sealed class OptionsField;
[Block(BlockKind.Targets)] sealed class TargetsField;

sealed record RunbookFields
{
    [Description("The version of the language: helix.runbooks/v1."), Required]
    public ApiVersion? ApiVersion { get; init; }

    [Description("Equals the file name, in kebab-case."), Required, RegularExpression(Names.KebabPattern)]
    public string? Name { get; init; }

    [Description("One line for lists and headings."), Required]
    public string? Title { get; init; }

    [Description("Markdown, shown in the command line, the web page and the printed runbook.")]
    public string? Description { get; init; }

    [Description("The team that keeps it true.")]
    public string? Owner { get; init; }

    [Description("What people see when this runbook is the right one.")]
    public IReadOnlyList<string>? Symptoms { get; init; }

    [Description("What the run is measured against.")]
    public ObjectivesFields? Objectives { get; init; }

    [Description("What is asked or given at the start: name to type.")]
    public IReadOnlyDictionary<string, InputFields>? Inputs { get; init; }

    [Description("Labels that a machine must have to drive a run of it, as site: a. Others refuse, and servers hand it on to one that has them.")]
    public IReadOnlyDictionary<string, string>? Needs { get; init; }

    [Description("Fields that steps have when they do not say otherwise.")]
    public DefaultsFields? Defaults { get; init; }

    [Description("How often a run may go back, the first round included."), Range(1, 100)]
    public int? MaxRounds { get; init; }

    [Description("A backup that is loaded must have a restore proof.")]
    public bool? RequireProof { get; init; }

    [Description("What is done, from top to bottom."), Required]
    public ItemsField? Steps { get; init; }

    [Description("Done once when the run gives up. Never turns a failed run green.")]
    public ItemsField? Rescue { get; init; }

    [Description("Done once when the run ends, whatever the end.")]
    public ItemsField? Finally { get; init; }

    [Description("What a caller of this runbook sees: name to expression.")]
    public IReadOnlyDictionary<string, string>? Outputs { get; init; }
}

[JsonConverter(typeof(JsonStringEnumConverter<ApiVersion>))]
enum ApiVersion
{
    [JsonStringEnumMemberName("helix.runbooks/v1")] V1,
}

sealed record ObjectivesFields
{
    [Description("Recovery time objective: how long the service may be away, from the declaration of the incident.")]
    public Duration? Rto { get; init; }

    [Description("Recovery point objective: how much data, in time, may be lost.")]
    public Duration? Rpo { get; init; }

    [Description("Mean time to recovery over past runs.")]
    public Duration? Mttr { get; init; }

    [Description("The id of the step or block whose success ends the RTO clock, in a loop that of its last round; without it the last step.")]
    public string? RecoveredAt { get; init; }

    [Description("The id of the step or block that brings the failure about itself, as in a drill: the clocks begin when it first starts, not at the declaration.")]
    public string? FailedAt { get; init; }
}

sealed record InputFields
{
    [Description("The type of the value."), Required]
    public InputType? Type { get; init; }

    [Description("The question in words.")]
    public string? Description { get; init; }

    [Description("A value must be given.")]
    public bool? Required { get; init; }

    [Description("The value when none is given; of the input's type.")]
    public JsonNode? Default { get; init; }

    [Description("The allowed values of a choice.")]
    public IReadOnlyList<string>? Choices { get; init; }

    [Description("For text: a regular expression that the whole value matches.")]
    public string? Pattern { get; init; }

    [Description("For numbers: the smallest allowed.")]
    public double? Minimum { get; init; }

    [Description("For numbers: the largest allowed.")]
    public double? Maximum { get; init; }

    [Description("For a backup: the target that holds it."), TargetName]
    public string? Target { get; init; }

    [Description("For a backup: how the keys of its series begin.")]
    public string? Prefix { get; init; }
}

sealed record DefaultsFields
{
    [Description("Time limits of a step: a duration for the whole step, or a map.")]
    public TimeoutFields? Timeout { get; init; }

    [Description("How a failed step is tried again.")]
    public RetryFields? Retry { get; init; }

    [Description("What a failure means after the retries.")]
    public IfFails? IfFails { get; init; }
}

[ShortFor("total")]
sealed record TimeoutFields
{
    [Description("The longest for one attempt.")]
    public Duration? Attempt { get; init; }

    [Description("The longest for all attempts with the pauses between.")]
    public Duration? Total { get; init; }

    [Description("The longest without output or progress.")]
    public Duration? NoProgress { get; init; }
}

sealed record RetryFields
{
    [Description("Tries in all, the first included."), Range(1, 100)]
    public int? Attempts { get; init; }

    [Description("The pause before the second try.")]
    public Duration? Delay { get; init; }

    [Description("How the pause grows.")]
    public Backoff? Backoff { get; init; }

    [Description("The longest pause.")]
    public Duration? MaxDelay { get; init; }

    [Description("The share of the pause that varies."), Range(0.0, 1.0)]
    public double? Jitter { get; init; }

    [Description("Which failures are tried again: only what the step calls transient, or any.")]
    public RetryOn? On { get; init; }
}

enum RetryOn { Transient, Any }

sealed record EnvironmentFields
{
    [Description("The version of the language: helix.runbooks/v1."), Required]
    public ApiVersion? ApiVersion { get; init; }

    [Description("Equals the file name, in kebab-case."), Required, RegularExpression(Names.KebabPattern)]
    public string? Name { get; init; }

    [Description("The name is typed once per run before the first destruction, identity is mandatory, drills refuse.")]
    public bool? Protected { get; init; }

    [Description("Values that expressions read as vars.NAME.")]
    public IReadOnlyDictionary<string, JsonNode>? Vars { get; init; }

    [Description("The systems to act on: name to kind and options."), Required]
    public TargetsField? Targets { get; init; }

    [Description("Who decides.")]
    public PeopleFields? People { get; init; }

    [Description("Who is told what happens to runs and backups here. The server tells it; a run of a terminal without a server says only what its notify steps say.")]
    public IReadOnlyList<ChannelFields>? Messages { get; init; }

    [Description("File of allowed signers (the format of ssh-keygen) for signed approvals; relative to this file."), FilePath]
    public string? AllowedSigners { get; init; }
}

sealed record PeopleFields
{
    [Description("Group name to account names.")]
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Groups { get; init; }
}

sealed record ChannelFields
{
    [Description("The target that carries the messages."), Required, TargetName("webhook", "slack", "email")]
    public string? To { get; init; }

    [Description("What it is told of. Default: everything. Use of break-glass is told to all.")]
    public IReadOnlyList<Occasion>? About { get; init; }

    [Description("Of what waits for people only what waits for these: account names and group:NAME, as approvers are written. Default: for whomever it waits.")]
    public IReadOnlyList<string>? For { get; init; }

    [Description("true: takes the messages of runs with --comms test, which go nowhere else then. Without such a channel they go to the usual ones, marked [TEST].")]
    public bool? Test { get; init; }
}
