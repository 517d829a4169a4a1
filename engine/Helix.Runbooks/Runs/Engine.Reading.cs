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
