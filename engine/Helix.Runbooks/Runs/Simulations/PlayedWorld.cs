using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs.Simulations;

/// <summary>A script in place of the world: no step runs or probes, no file, process or target is touched, time passes at once.</summary>
sealed class PlayedWorld(Scenario scenario, Playback playback, SkippingClock clock) : World
{
    // Deadlines and retries of any sensible run need far fewer.
    const int MostPauses = 10_000;
    int _pauses;

    public ScriptedPeople? People { get; set; }

    public override (string? Commit, string? Author) Git(string runbook) => (null, null);
    public override Task<IReadOnlyList<Finding>> Preflight(Surroundings around, string folder, CancellationToken stop) =>
        Task.FromResult<IReadOnlyList<Finding>>([new Finding("simulation", FindingKind.Ok, "nothing is touched")]);
    public override Task<string> Choose(IHoldsBackups shelf, string prefix, string selector, PlanContext context) => Task.FromResult(selector);

    public override Task<JsonObject> Run(StepItem item, StepType type, object options, StepContext context)
    {
        var result = playback.Attempt(context.Path);
        if (result is ScriptedFailure failure)
            throw new StepFailedException(failure.Class, failure.Message);
        var outputs = OutputStandIn.For(item, type, Path.Combine(context.Run.Work, context.Path.Replace('/', '-')));
        foreach (var (name, value) in (result as ScriptedOutputs)?.Outputs ?? [])
            outputs[name] = value?.DeepClone();
        return Task.FromResult(outputs);
    }

    public override Task<ProbeResult> Probe(StepType type, object options, StepContext context) =>
        Task.FromResult(new ProbeResult(ProbeVerdict.Unknown, null, "a simulation does not look"));

    public override Task<string?> PlaceOf(Target target, PlanContext context) => Task.FromResult(target.Identity?.Place);

    public override Task<string?> LabelOf(Target target, PlanContext context) => Task.FromResult(target.Identity?.Label);

    public override Task<IReadOnlyList<LocalFile>> Files(JsonObject outputs, CancellationToken stop) =>
        Task.FromResult<IReadOnlyList<LocalFile>>(outputs["file"] is JsonValue file ? [new LocalFile("file", System.Environment.MachineName, file.ToString(), 0, "")] : []);

    public override Task<string?> FaultOf(LocalFile file, CancellationToken stop) => Task.FromResult<string?>(null);
    public override bool IsThere(LocalFile file) => true;

    public override bool Passes(TimeSpan time)
    {
        if (++_pauses > MostPauses)
            throw new StuckException(scenario.Position, "the run never ends");
        if (!People!.Answer())
            clock.Skip(time);
        return true;
    }
}
