using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Reports;
using Helix.Server.Web;

namespace Helix.Server.Pages;

public sealed record RunbookLine(string Name, string? Title, string? Owner, Objectives? Objectives, int Errors, int Warnings);

public sealed record RunbooksModel(IReadOnlyList<RunbookLine> Runbooks, IReadOnlyList<EnvironmentLine> Environments);

public sealed record EnvironmentLine(string Name, bool? Protected, int Errors);

public sealed record RunbookModel
{
    public required string Name { get; init; }
    public Runbook? Runbook { get; init; }
    public required string DescriptionHtml { get; init; }
    public required IReadOnlyList<Problem> Problems { get; init; }
    public required string Text { get; init; }
    public string? GitCommit { get; init; }
    public string? GitAuthor { get; init; }
    public required IReadOnlyList<string> Environments { get; init; }

    /// <summary>The environment that was chosen for plan and start.</summary>
    public string? Environment { get; init; }
    public bool Protected { get; init; }
    public IReadOnlyList<FormInput> Inputs { get; init; } = [];

    /// <summary>What was wrong with the environment, or with reading the backups.</summary>
    public string? Trouble { get; init; }

    /// <summary>A fresh key, so that a form that is sent twice starts one run.</summary>
    public required string RequestKey { get; init; }
    public PlanModel? Plan { get; init; }

    /// <summary>The form as it was sent, when it is shown with its plan or with why it was refused.</summary>
    public Typed Typed { get; init; } = Typed.Nothing;
    public Fault? Refused { get; init; }
}

/// <summary>A plan as it is shown before anything happens.</summary>
public sealed record PlanModel(Plan Plan, IReadOnlyDictionary<string, Helix.Runbooks.Steps.StepPlan> Described)
{
    public string EffectsOf(PlannedStep step) => PlanPage.Effects(step);
}
