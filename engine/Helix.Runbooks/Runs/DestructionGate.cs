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

    /// <summary>Null: go on. Else the failure to record. Who overrode one gate has not opened the others.</summary>
    public async Task<StepFailed?> Refusal(string path, StepItem item, JsonObject with, IReadOnlyList<TargetEffect> effects, CancellationToken stop)
    {
        var own = drive.Catalog.Steps.GetValueOrDefault(item.Uses)?.About.OptionsAreApproval == true;
        foreach (var effect in effects.Where(e => e.Effect == Effect.Destroys))
            foreach (var gate in new Func<Task<Refused?>>[]
            {
                () => Task.FromResult(own ? ChangedSince(path, item, with) : drive.Plan.IsForReal ? NotApproved(path, item, with) : null),
                () => WrongPlace(effect, stop),
                () => UnknownBackup(path, with, effect, stop),
                () => Task.FromResult(drive.Plan.IsForReal && !own ? NotConfirmed() : null),
            })
                if (await gate() is { } r && new StepFailed(path, 0, r.Failure, $"{item.Uses} was not started: {r.Why}", r.Hint, null) { Gate = r.Gate } is var refused && !IsOverridden(refused))
                    return refused;
        return null;
    }

    /// <summary>An override is for what was refused then, word for word.</summary>
    bool IsOverridden(StepFailed refused)
    {
        var words = drive.Masker.Mask(refused.Message);
        return drive.Record.Read(s => s.Overrides.Any(o => o.Path == refused.Path && o.Gate == refused.Gate && (o.Refused is null || o.Refused == words)));
    }

    sealed record Refused(string Gate, string Why, string? Hint, FailureClass Failure = FailureClass.Conflict);

    Refused? NotApproved(string path, StepItem item, JsonObject with)
    {
        if (drive.Plan.Find(path)?.Gate is not { } pattern)
            return new Refused(Approval, "no approval precedes it", "Put an `approval` step before it.");
        var gate = ScopeBuilder.Concrete(pattern, path);
        var question = drive.Record.Read(s => s.Step(gate) is { Status: StepStatus.Succeeded, Question: { } id } ? s.Questions[id] : null);
        if (question is not { Status: QuestionStatus.Approved })
            return new Refused(Approval, $"the approval '{gate}' was not given", "A skipped or expired gate gates nothing.");
        var again = $"Go back to '{gate}' and ask again; what an answer changed, put into the runbook first (--take-changes).";
        if (question.Asked.Shown["plan"]?.ToString() != drive.Record.Read(s => s.PlanHash))
            return new Refused(Approval, "what was approved was another plan: the runbook was changed since", again);
        var shown = (question.Asked.Shown["covered"] as JsonObject ?? []).FirstOrDefault(c => ScopeBuilder.Concrete(c.Key, path) == path).Value;
        if (shown is not JsonObject covered || covered["uses"]?.ToString() != item.Uses)
            return new Refused(Approval, "it was not among what was approved", again);
        if (BegunBefore(question, path, with) is { } round)
            return new Refused(Approval, $"it was begun already in round {round}, and what '{gate}' approved there does not cover doing {Text(with)} once more", $"Go back to '{gate}', which asks again (the answer go-back, or after the end of the run `helix reopen {drive.Around.Facts.Id} --to {gate}`).");
        // What comes from a step between, or from a loop, was not shown, only where it comes from: with other inputs that is something else.
        if (drive.Record.Read(s => s.InputsOfRound > question.Round))
            return new Refused(Approval, $"inputs were changed since the approval, and nobody has seen that it would now do {Text(with)}", again);
        // All of it, since an override is for what is said here.
        var differences = Differences(path, item, covered["with"]!.AsObject(), with).ToList();
        return differences.Count > 0 ? new Refused(Approval, $"what was approved differs from what would be done: {string.Join("; ", differences)}", again) : null;
    }

    /// <summary>The round in which a step that the run has gone back over used up this approval (rule 7); a retry and a resume do not go back. An element of a loop may be the same under another index.</summary>
    int? BegunBefore(Question question, string path, JsonObject with) =>
        drive.Record.Read(s => s.Earlier.Where(e => e.Path == path || (StepPath.Pattern(e.Path) == StepPath.Pattern(path) && JsonNode.DeepEquals(e.With, with)))
            .SelectMany(e => e.Attempts).LastOrDefault(a => a.Round >= question.Round)?.Round);

    /// <summary>Where the options are the approval, those of the runbook are.</summary>
    Refused? ChangedSince(string path, StepItem item, JsonObject with) =>
        Changed(path).Select(c => c.Key).Where(n => !IsTime(item, n)).Select(n => $"'{n}' was changed to {Text(with[n])}").ToList() is { Count: > 0 } changes
            ? new Refused(Approval, $"its options are its approval, and by an answer {string.Join("; ", changes)}", "Change the runbook, and go on with --take-changes.")
            : null;

    /// <summary>Everything that it does must be what was approved; only how long it may take can be changed by a retry.</summary>
    IEnumerable<string> Differences(string path, StepItem item, JsonObject shown, JsonObject with)
    {
        var changed = Changed(path);
        var written = new Lazy<JsonObject?>(() => Written(path, item));
        foreach (var name in shown.Select(o => o.Key).Union(with.Select(o => o.Key)))
            if (!JsonNode.DeepEquals(shown[name], with[name]) && !IsTime(item, name) && (changed.ContainsKey(name) || !ComesLater(item, name, shown[name], with[name], written)))
                yield return $"'{name}' was {Text(shown[name])} and is {Text(with[name])}";
    }

    /// <summary>What a step between puts out could not be shown, only where it comes from: that was approved, as long as it still comes from there.</summary>
    static bool ComesLater(StepItem item, string option, JsonNode? shown, JsonNode? now, Lazy<JsonObject?> written) =>
        JsonNode.DeepEquals(shown, item.With[option]) && Template.Has(Text(shown)) && (written.Value is not { } fresh || JsonNode.DeepEquals(fresh[option], now));

    /// <summary>The options as the runbook gives them now. Null when that cannot be said any more.</summary>
    JsonObject? Written(string path, StepItem item)
    {
        try
        {
            return drive.Record.Read(s => drive.Scope.Resolve(s, path, item));
        }
        catch (RunbookException)
        {
            return null;
        }
    }

    JsonObject Changed(string path) => drive.Record.Read(s => s.Step(path)?.ChangedWith) ?? [];

    bool IsTime(StepItem item, string option)
    {
        var type = drive.Catalog.Steps[item.Uses].OptionsType;
        var property = type.GetProperties().FirstOrDefault(p => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(p.Name) == option);
        return property is not null && (Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) == typeof(Duration);
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
            .Where(f => f.f.Path == file).OrderByDescending(f => f.p.EndedAt).FirstOrDefault());
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
