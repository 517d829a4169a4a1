using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

public sealed partial class Engine
{
    /// <summary>The pre-flight alone, without a run: <c>helix doctor</c>.</summary>
    public Task<IReadOnlyList<Finding>> Doctor(Plan plan, string account, CancellationToken stop = default)
    {
        Directory.CreateDirectory(Settings.DataFolder);
        return Preflight.Look(AroundNoRun(plan, account), Settings.DataFolder, stop);
    }

    /// <summary>What each step says that it would touch, by path. Reads only; of a step whose options only the run will know, which these are.</summary>
    public async Task<IReadOnlyDictionary<string, StepPlan>> Describe(Plan plan, string account, CancellationToken stop = default)
    {
        var around = AroundNoRun(plan, account);
        var described = await Task.WhenAll(plan.Steps.Where(s => Catalog.Steps.ContainsKey(s.Item.Uses)).Select(s => Describe(around, s, stop)));
        return described.ToDictionary(d => d.Path, d => d.Said);
    }

    async Task<(string Path, StepPlan Said)> Describe(Surroundings around, PlannedStep step, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        var type = Catalog.Steps[step.Item.Uses];
        try
        {
            return (step.Path, await type.Step.PlanWith(OptionStandIn.Bind(step.With, type.OptionsType), around.Reading(both.Token)));
        }
        catch (RunbookException) when (Template.Has(step.With.ToJsonString(StepJson.Options)))
        {
            // What it complains of is the stand-in for a value that only the run will know.
            var open = step.With.Where(o => o.Value is not null && Template.Has(o.Value.ToJsonString(StepJson.Options))).Select(o => o.Key);
            return (step.Path, new StepPlan { Lines = [$"Only the run will know: {string.Join(", ", open)}."] });
        }
        catch (Exception e) when (e is StepFailedException or RunbookException or OperationCanceledException && !stop.IsCancellationRequested)
        {
            return (step.Path, new StepPlan { Warnings = [$"not known now: {around.Masker.Mask(e.Message)}"] });
        }
    }

    Surroundings AroundNoRun(Plan plan, string account)
    {
        var masker = new Masker { Plain = PlainText.Of(plan) };
        return new Surroundings
        {
            Plan = plan,
            Time = Time,
            Masker = masker,
            SecretsFolder = plan.Environment.BaseDirectory,
            Facts = new RunFacts
            {
                Id = "plan",
                Mode = "plan",
                Runbook = plan.Runbook.Name,
                Environment = plan.Environment.Name,
                Operator = account,
                StartedAt = Time.GetUtcNow(),
                Work = Path.Combine(Settings.DataFolder, "runs", "plan", "work"),
                Safe = Path.Combine(Settings.DataFolder, "runs", "plan", "safe"),
                BaseDirectory = Path.GetDirectoryName(Path.GetFullPath(plan.Runbook.Source.Path))!,
            },
        };
    }
}
