using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;
using Mode = Helix.Runbooks.Plans.Mode;

namespace Helix.Runbooks.Runs;

/// <summary>The last look before something is destroyed (rule 10): approved, the right target, a verified backup, and the name typed where that is due.</summary>
sealed class DestructionGate(Drive drive)
{
    public const string Approval = "approval";
    public const string Identity = "identity";
    public const string Backup = "backup";
    public const string Confirmation = "confirmation";

    /// <summary>Null: go on. Else the failure to record.</summary>
    public async Task<StepFailed?> Refusal(string path, StepItem item, JsonObject with, IReadOnlyList<TargetEffect> effects, CancellationToken stop)
    {
        foreach (var effect in effects.Where(e => e.Effect == Effect.Destroys))
        {
            var live = drive.Plan.Mode == Mode.Live && drive.Catalog.Steps.GetValueOrDefault(item.Uses)?.About.OptionsAreApproval != true;
            var refused = (live ? NotApproved(path, with) : null)
                ?? await WrongPlace(effect, stop)
                ?? await UnknownBackup(path, with, effect, stop)
                ?? (live ? NotConfirmed() : null);
            if (refused is { } r && !drive.Record.Read(s => s.Overrides.Any(o => o.Path == path && o.Gate == r.Gate)))
                return new StepFailed(path, 0, r.Failure, $"{item.Uses} was not started: {r.Why}", r.Hint, null) { Gate = r.Gate };
        }
        return null;
    }

    sealed record Refused(string Gate, string Why, string? Hint, FailureClass Failure = FailureClass.Conflict);

    Refused? NotApproved(string path, JsonObject with)
    {
        if (drive.Plan.Find(path)?.Gate is not { } pattern)
            return new Refused(Approval, "no approval precedes it", "Put an `approval` step before it.");
        var gate = ScopeBuilder.Concrete(pattern, path);
        var question = drive.Record.Read(s => s.Step(gate) is { Status: StepStatus.Succeeded, Question: { } id } ? s.Questions[id] : null);
        if (question is not { Status: QuestionStatus.Approved })
            return new Refused(Approval, $"the approval '{gate}' was not given", "A skipped or expired gate gates nothing.");
        if (question.Asked.Shown["covered"]?[path] is not JsonObject shown)
            return null;
        foreach (var (name, value) in shown["with"]!.AsObject())
            if (!JsonNode.DeepEquals(value, with[name]) && MattersFor(path, name) && !ComesLater(path, name, value))
                return new Refused(Approval, $"what was approved differs from what would be done: '{name}' was {Text(value)} and is {Text(with[name])}", $"Go back to '{gate}' and ask again.");
        return null;
    }

    /// <summary>What a step between puts out could not be shown, only where it comes from: that was approved, and the backup gate knows the file.</summary>
    bool ComesLater(string path, string option, JsonNode? shown) =>
        shown is JsonValue text && text.TryGetValue<string>(out var written) && Template.Has(written) && JsonNode.DeepEquals(shown, drive.Plan.Find(path)!.Item.With[option]);

    /// <summary>Target, backup and path must be what was approved; a bound or a time-out may be changed by a retry.</summary>
    bool MattersFor(string path, string option)
    {
        var type = drive.Catalog.Steps[drive.Plan.Find(path)!.Item.Uses].OptionsType;
        var property = type.GetProperties().FirstOrDefault(p => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(p.Name) == option);
        return property is null || property.IsDefined(typeof(TargetNameAttribute), true) || property.IsDefined(typeof(FixedAttribute), true)
            || drive.Record.Read(_ => drive.Plan.Find(path)!.Effects.Any(e => e.LoadsFrom == option));
    }

    async Task<Refused?> WrongPlace(TargetEffect effect, CancellationToken stop)
    {
        if (effect.Target is null || !drive.Plan.Environment.Targets.All.TryGetValue(effect.Target, out var target))
            return null;
        if (EnvironmentLabel.Fault(target, drive.Plan.Environment.Name, await Asked(target, drive.World.LabelOf, stop)) is { } other)
            return new Refused(Identity, other, EnvironmentLabel.Hint);
        if (target.Identity is null)
            return null;
        var found = await Asked(target, drive.World.PlaceOf, stop);
        if (found is null)
            return new Refused(Identity, $"where '{target.Name}' is cannot be read now, and it must be {target.Identity.Place}", "Look yourself, then answer with `override` and the reason.", FailureClass.Missing);
        return found == target.Identity.Place
            ? null
            : new Refused(Identity, $"'{target.Name}' is {found}, and the environment says it is {target.Identity.Place}", "This may be the wrong machine: check the environment before anything else.");
    }

    async Task<string?> Asked(Target target, Func<Target, PlanContext, Task<string?>> ask, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10), drive.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            return await ask(target, drive.Around.Reading(both.Token));
        }
        catch (Exception e) when (e is StepFailedException or (OperationCanceledException and not null) && !stop.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>What is loaded must be a file that a step of this run verified and put out, and that is still the same.</summary>
    async Task<Refused?> UnknownBackup(string path, JsonObject with, TargetEffect effect, CancellationToken stop)
    {
        if (effect.LoadsFrom is not { } option || with[option]?.ToString() is not { } file)
            return null;
        var (known, producer) = drive.Record.Read(s => s.Steps.Values.Where(p => p.Status == StepStatus.Succeeded)
            .SelectMany(p => p.Files.Select(f => (f, p)))
            .FirstOrDefault(f => f.f.Path == file));
        if (known is null)
            return new Refused(Backup, $"{file} is no verified backup of this run", "Load what `backup.download` or a safety copy of this run put out; a bare path has no known digest.", FailureClass.InvalidData);
        if (await drive.World.FaultOf(known, stop) is { } fault)
            return new Refused(Backup, fault, "Download the backup again.", FailureClass.InvalidData);
        if (drive.Plan.Runbook.RequireProof && producer.Outputs?["proven"] is { } proven && !proven.GetValue<bool>())
            return new Refused(Backup, $"the backup {producer.Outputs["key"]} has no restore proof, and the runbook demands one", "Choose latest-proven, or run the drill that proves it.", FailureClass.InvalidData);
        return null;
    }

    Refused? NotConfirmed() =>
        !drive.Plan.Environment.Protected || drive.Record.Read(s => s.Confirmed.Any(c => c.PlanHash == s.PlanHash))
            ? null
            : new Refused(Confirmation, $"the environment {drive.Plan.Environment.Name} is protected and its name was not typed", $"helix resume {drive.Around.Facts.Id} --confirm-environment {drive.Plan.Environment.Name}");

    static string Text(JsonNode? node) => node?.ToJsonString(StepJson.Options) ?? "nothing";
}
