using System.ComponentModel;

namespace Helix.Runbooks.Model;

/// <summary>What expressions read as <c>run.NAME</c>.</summary>
sealed record RunVariables
{
    [Description("The id of the run.")]
    public string Id { get; init; } = "";

    [Description("plan, simulate, drill or live.")]
    public string Mode { get; init; } = "";

    [Description("When the run started.")]
    public DateTimeOffset StartedAt { get; init; }

    [Description("When it happened.")]
    public DateTimeOffset OccurredAt { get; init; }

    [Description("When the incident was declared.")]
    public DateTimeOffset DeclaredAt { get; init; }

    [Description("Who started the run.")]
    public string Operator { get; init; } = "";

    [Description("The name of the environment.")]
    public string Environment { get; init; } = "";

    [Description("A folder for what the run needs on the way.")]
    public string Work { get; init; } = "";

    [Description("A folder for safety copies, never emptied by the run itself.")]
    public string Safe { get; init; } = "";

    [Description("The start as text for file names: 20260301T020000Z.")]
    public string Timestamp { get; init; } = "";
}
