using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Plans;

/// <summary>Model + inputs + environment → plan. Pure but for reading the scripts that are pinned.</summary>
public sealed class Planner(StepCatalog catalog)
{
    /// <param name="given">Input name → text as typed on the command line, or JSON of the right type.</param>
    /// <param name="open">Reads a file that the runbook names; null: from the disk.</param>
    /// <exception cref="RunbookException">An input is missing, unknown or does not fit.</exception>
    public Plan Plan(Runbook runbook, Model.Environment environment, JsonObject given, Mode mode, Func<string, byte[]?>? open = null)
    {
        var inputs = InputBinder.Bind(runbook, given);
        var index = new PlanIndex(runbook);
        var gates = new Gates();
        var early = new EarlyResolver(catalog, environment, inputs);
        var effects = new EffectResolver(catalog, environment);
        var steps = new List<PlannedStep>();
        foreach (var place in index.All)
            if (place.Item is StepItem item)
            {
                var with = early.Resolve(place, item);
                steps.Add(new PlannedStep
                {
                    Path = place.Pattern,
                    Item = item,
                    Order = steps.Count,
                    Depth = place.Within.Count,
                    Part = place.Part,
                    Section = place.Section,
                    Within = place.Within,
                    With = with,
                    Secrets = catalog.Steps.TryGetValue(item.Uses, out var type) ? [.. NamedSecrets.In(with, type)] : [],
                    Effects = effects.Of(item, with),
                    Gate = gates.Covering(place),
                });
            }
        var pinned = Pins.Of(runbook, environment, steps, catalog, open ?? Pins.FromDisk);
        return new Plan
        {
            Runbook = runbook,
            Environment = environment,
            Inputs = inputs,
            Mode = mode,
            Steps = steps,
            Locks = Locks(steps.SelectMany(s => s.Effects), environment),
            Problems = [.. PlanRules.Check(steps, environment, mode, catalog)],
            Pinned = pinned,
            Hash = HashOf(pinned, inputs, mode, steps),
        };
    }

    /// <summary>What must be held while this is done to targets. One whose name is not known yet is not among them.</summary>
    public static List<PlannedLock> Locks(IEnumerable<TargetEffect> effects, Model.Environment environment) =>
    [
        .. effects
            .Where(e => e.Target is not null && environment.Targets.All.ContainsKey(e.Target))
            .GroupBy(e => environment.Targets.All[e.Target!].Address)
            .Select(g => new PlannedLock(g.Key, g.First().Target!, g.All(e => e.Effect <= Shares(environment.Targets.All[e.Target!]))))
            .OrderBy(l => l.Identity, StringComparer.Ordinal),
    ];

    /// <summary>The strongest effect that several runs may have on a target at once. New backups beside others disturb nobody; removing them does.</summary>
    static Effect Shares(Target target) => target is IHoldsBackups ? Effect.Changes : Effect.Reads;

    static string HashOf(IReadOnlyDictionary<string, SourceFile> pinned, JsonObject inputs, Mode mode, IReadOnlyList<PlannedStep> steps)
    {
        var text = new StringBuilder(mode.ToString()).Append('\n').Append(inputs.ToJsonString(StepJson.Options)).Append('\n');
        foreach (var (name, file) in pinned.OrderBy(p => p.Key, StringComparer.Ordinal))
            text.Append(name).Append(' ').Append(file.Sha256).Append('\n');
        foreach (var step in steps)
            text.Append(step.Path).Append(' ').Append(step.With.ToJsonString(StepJson.Options)).Append('\n');
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
