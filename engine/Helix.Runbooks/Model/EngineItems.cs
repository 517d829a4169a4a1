using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

/// <summary>The items of the engine that are written like steps. They wait without a process, so they are no steps.</summary>
public static class EngineItems
{
    public const string Approval = "approval";
    public const string Manual = "manual";
    public const string Wait = "wait";
    public const string Runbook = "runbook";

    /// <summary>By name; <c>runbook</c> has its own form.</summary>
    public static IReadOnlyDictionary<string, EngineItem> All { get; } =
        new Dictionary<string, EngineItem>
        {
            [Approval] = new(typeof(ApprovalOptions), typeof(DecisionOutputs), "Waits until the people named approve or reject."),
            [Manual] = new(typeof(ManualOptions), typeof(DecisionOutputs), "Asks a person to do something outside and to say that it is done."),
            [Wait] = new(typeof(WaitOptions), typeof(NoOutputs), "Waits for a time, holding no process."),
        };
}

/// <summary>The records of its options and outputs, and what it is.</summary>
public sealed record EngineItem(Type Options, Type Outputs, string Summary);

public enum OnExpiry { Park, Escalate, Reject }

/// <summary>In the order of the journal's IdentityStrength, which the model does not know; a test holds them together.</summary>
public enum ApprovalStrength { Os, Password, Signed, Oidc }

public sealed record ApprovalOptions
{
    [Description("What is asked, with the facts that the answer needs.")]
    [Example("\"Overwrite the graph?\"")]
    public required string Message { get; init; }

    [Description("Who may answer: account names, or group:NAME of the environment's people.")]
    [Example("[group:dba]")]
    [MinLength(1, ErrorMessage = "{0} must name somebody.")]
    public required IReadOnlyList<string> Approvers { get; init; }

    [Description("How many distinct people must approve. Above 1 their identity must be stronger than the operating system account.")]
    [Range(1, 20)]
    public int Minimum { get; init; } = 1;

    [Description("How sure it must be who approves, at least: password (an account of a server), signed (an SSH key of allowedSigners) or oidc (an identity provider). Default: an account of the operating system is enough.")]
    public ApprovalStrength? Strength { get; init; }

    [Description("Groups of which at least one member each must be among those who approve.")]
    public IReadOnlyList<string> OneFromEach { get; init; } = [];

    [Description("The one who started the run may approve.")]
    public bool SelfApproval { get; init; }

    [Description("The last author of the runbook in git may approve.")]
    public bool AuthorMayApprove { get; init; } = true;

    [Description("How long the question stands. After that onExpiry holds; an expired gate never lets a destroying step through.")]
    public Duration? ExpiresAfter { get; init; }

    [Description("What happens then: the run is parked, others are asked, or it counts as a rejection.")]
    public OnExpiry OnExpiry { get; init; } = OnExpiry.Park;

    [Description("Who is asked when the time is over.")]
    public string? EscalateTo { get; init; }

    [Description("After a rejection: `abort` ends the run, the id of an earlier step goes back to it.")]
    public string OnReject { get; init; } = "abort";

    [Description("A form that the answer fills: name to type.")]
    public IReadOnlyDictionary<string, FormField> Inputs { get; init; } = new Dictionary<string, FormField>();
}

public sealed record ManualOptions
{
    [Description("What is to be done, in Markdown.")]
    [Example("\"Block external access at the firewall.\"")]
    public required string Instructions { get; init; }

    [Description("Points that are ticked one by one, at the terminal and on the page, before it counts as done.")]
    public IReadOnlyList<string> Checklist { get; init; } = [];

    [Description("Who may say that it is done; nobody named means anybody who may use this store.")]
    public IReadOnlyList<string> Assignees { get; init; } = [];

    [Description("Proof in words or a link is demanded with the answer.")]
    public bool EvidenceRequired { get; init; }

    [Description("How long the question stands before the run is parked and reminded of.")]
    public Duration? ExpiresAfter { get; init; }

    [Description("A form that the answer fills: name to type.")]
    public IReadOnlyDictionary<string, FormField> Inputs { get; init; } = new Dictionary<string, FormField>();
}

public sealed record WaitOptions
{
    [Description("How long to wait.")]
    [Example("10m", Shown = true)]
    public Duration? For { get; init; }

    [Description("The moment to wait for, as 2026-03-01T02:00:00Z.")]
    public DateTimeOffset? Until { get; init; }
}

/// <summary>A field of the form of a decision.</summary>
public sealed record FormField
{
    [Description("The type of the answer.")]
    public InputType Type { get; init; } = InputType.String;

    [Description("The question in words.")]
    public string? Description { get; init; }

    [Description("The answer must be given.")]
    public bool Required { get; init; }

    [Description("The allowed answers of a choice.")]
    public IReadOnlyList<string> Choices { get; init; } = [];
}

/// <summary>What an approval or a manual step puts out.</summary>
public sealed record DecisionOutputs
{
    /// <summary>Who answered what: lines as "alice approved: checked the counts".</summary>
    public IReadOnlyList<string> Decisions { get; init; } = [];

    /// <summary>The form as filled.</summary>
    public System.Text.Json.Nodes.JsonObject Inputs { get; init; } = [];
    public Duration Waited { get; init; }
}
