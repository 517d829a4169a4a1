using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>Every way from a run to the outside. A simulation has a script in its place, and all else is the same.</summary>
abstract class World
{
    public abstract (string? Commit, string? Author) Git(string runbook);
    public abstract Task<IReadOnlyList<Finding>> Preflight(Surroundings around, string folder, CancellationToken stop);

    /// <summary>The backup that a selector means, pinned.</summary>
    public abstract Task<string> Choose(IHoldsBackups shelf, string prefix, string selector, PlanContext context);
    public abstract Task<JsonObject> Run(StepItem item, StepType type, object options, StepContext context);
    public abstract Task<ProbeResult> Probe(StepType type, object options, StepContext context);
    public abstract Task<string?> PlaceOf(Target target, PlanContext context);
    public abstract Task<string?> LabelOf(Target target, PlanContext context);

    /// <summary>The local files that these outputs name.</summary>
    public abstract Task<IReadOnlyList<LocalFile>> Files(JsonObject outputs, CancellationToken stop);

    /// <summary>Null when the file is as recorded; else what is wrong.</summary>
    public abstract Task<string?> FaultOf(LocalFile file, CancellationToken stop);
    public abstract bool IsThere(LocalFile file);

    /// <summary>Nothing runs, and nothing is due for so long. True: something has happened instead of waiting.</summary>
    public abstract bool Passes(TimeSpan time);
}

/// <summary>The world itself.</summary>
sealed class RealWorld : World
{
    public override (string? Commit, string? Author) Git(string runbook) => GitFacts.Of(runbook);
    public override Task<IReadOnlyList<Finding>> Preflight(Surroundings around, string folder, CancellationToken stop) => Runs.Preflight.Look(around, folder, stop);
    public override async Task<string> Choose(IHoldsBackups shelf, string prefix, string selector, PlanContext context) => (await shelf.Choose(prefix, selector, context)).Pinned;
    public override async Task<JsonObject> Run(StepItem item, StepType type, object options, StepContext context) => StepJson.ToJson(await type.Step.RunWith(options, context));
    public override Task<ProbeResult> Probe(StepType type, object options, StepContext context) => type.Step.ProbeWith(options, context);
    public override Task<string?> PlaceOf(Target target, PlanContext context) => target.ReadPlace(context);
    public override Task<string?> LabelOf(Target target, PlanContext context) => target.ReadLabel(context);
    public override Task<IReadOnlyList<LocalFile>> Files(JsonObject outputs, CancellationToken stop) => OutputFiles.Of(outputs, stop);
    public override Task<string?> FaultOf(LocalFile file, CancellationToken stop) => OutputFiles.Fault(file, stop);
    public override bool IsThere(LocalFile file) => File.Exists(file.Path);
    public override bool Passes(TimeSpan time) => false;
}
