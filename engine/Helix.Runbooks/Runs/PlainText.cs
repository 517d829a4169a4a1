using System.Text;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>What everybody who looks at a run can read, and what its options are made of.</summary>
static class PlainText
{
    public static string Of(Plan plan, RunStarted? started = null)
    {
        var sources = new PlanIndex(plan.Runbook).All.Select(p => p.Frame.Runbook.Source).Prepend(plan.Runbook.Source).Append(plan.Environment.Source).DistinctBy(s => s.Path);
        return string.Join('\n', [.. sources.Select(s => Encoding.UTF8.GetString(s.Bytes)), plan.Inputs.ToJsonString(StepJson.Options), started?.Work, started?.BaseDirectory, started?.Operator.Account]);
    }
}
