using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;
using Mode = Helix.Runbooks.Plans.Mode;

namespace Helix.Runbooks.Runs;

public sealed partial class Engine
{
    /// <summary>A context for looking at the targets of an environment without a runbook: backups on a shelf.</summary>
    public PlanContext Reading(Model.Environment environment, string account, CancellationToken stop = default) =>
        AroundNoRun(Nothing(environment), account).Reading(stop);

    /// <summary>The plan of a run for those who look at it: a record outlives the version that could read its runbook, and is still shown.</summary>
    public Plan PlanToShow(RunState state)
    {
        try
        {
            return PlanOf(state);
        }
        catch (Exception e) when (e is RunbookException or InvalidOperationException)
        {
            var nothing = new SourceFile(state.Started.EnvironmentPath, [], "");
            return Nothing(new Model.Environment { Name = state.Started.Environment, Targets = EnvironmentTargets.None, Source = nothing }) with
            {
                Runbook = new Runbook { Name = state.Started.Runbook, Title = state.Started.Title, Source = nothing with { Path = state.Started.RunbookPath } },
                Inputs = (System.Text.Json.Nodes.JsonObject)state.Inputs.DeepClone(),
                Mode = Enum.Parse<Mode>(state.Started.Mode, ignoreCase: true),
                Hash = state.PlanHash,
                Unreadable = e.Message,
            };
        }
    }

    static Plan Nothing(Model.Environment environment) => new()
    {
        Runbook = new Runbook { Name = "none", Title = "", Source = environment.Source },
        Environment = environment,
        Inputs = [],
        Mode = Mode.Plan,
        Steps = [],
        Locks = [],
        Problems = [],
        Pinned = new Dictionary<string, SourceFile>(),
        Hash = "",
    };
}
