using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>A file that an output names may be gone when a run goes on: its producer runs again if it only reads, else people are asked. What is finished needs no file.</summary>
sealed class LostFiles(Drive drive)
{
    public void LookAfter()
    {
        // The last first: what runs again may need what was made before it.
        var producers = drive.Record.Read(s => s.Steps.Values.Where(p => p is { Status: StepStatus.Succeeded, Files.Count: > 0 }).OrderByDescending(p => p.EndedAt).ToList());
        foreach (var step in producers)
            if (step.Files.FirstOrDefault(f => !drive.World.IsThere(f)) is { } gone && IsNeeded(step.Path, gone))
                drive.Record.Append(step.Effects.All(e => e.Effect == Effect.Reads || e.Target is null)
                    ? new StepReset(step.Path, $"{gone.Path} is gone", null)
                    : new StepFailed(step.Path, 0, FailureClass.Missing, $"its file {gone.Path} is gone", null, null));
    }

    /// <summary>A step that is still to come names it: this output of this step.</summary>
    bool IsNeeded(string producer, LocalFile file)
    {
        var names = drive.Index.Find(producer) is { } place ? Names(place, file.Output).ToList() : [];
        return drive.Record.Read(new Sequencer(drive.Plan.Runbook, drive.Catalog).StillToCome).Any(path => Sees(path, producer) && drive.Plan.Find(path) is { } step
            && step.Item.With.ToJsonString(StepJson.Options) is var with && names.Exists(n => with.Contains(n, StringComparison.Ordinal)));
    }

    /// <summary>Within a loop a step sees what its own element has made, from outside what all of them have.</summary>
    static bool Sees(string path, string producer) =>
        ScopeBuilder.Concrete(StepPath.Pattern(producer), path) is var seen && (seen == producer || seen.Contains("[]", StringComparison.Ordinal));

    /// <summary>How expressions name an output: in the step's own runbook and, where that puts it out, in the one around it.</summary>
    static IEnumerable<string> Names(Place place, string output)
    {
        var name = $"steps.{place.Item.Id}.{output}";
        return place.Frame.Item is not { } sub ? [name]
            : [name, .. place.Frame.Runbook.Outputs.Where(o => o.Value.Text.Contains(name, StringComparison.Ordinal)).SelectMany(o => Names(sub, o.Key))];
    }
}
