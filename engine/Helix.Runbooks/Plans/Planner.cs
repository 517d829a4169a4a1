using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Plans;

/// <summary>Model + inputs + environment → plan. Pure but for reading the files that are pinned.</summary>
public sealed class Planner(StepCatalog catalog)
{
    /// <param name="given">Input name → text as typed on the command line, or JSON of the right type.</param>
    /// <exception cref="RunbookException">An input is missing, unknown or does not fit.</exception>
    public Plan Plan(Runbook runbook, Model.Environment environment, JsonObject given, Mode mode) =>
        throw new NotImplementedException($"{catalog}{runbook}{environment}{given}{mode}");
}
