using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

/// <summary>Online backup and restore are the Enterprise edition's: said before the tool is called, whose own words sound like a broken installation (NEO-14).</summary>
static class OnlineRules
{
    /// <summary>Known before the run where the environment says which edition it is. A runbook for both editions has the step under a condition.</summary>
    public static IEnumerable<UseFault> Judge(string step, StepUse use)
    {
        if (!use.Sometimes && use.Target<Neo4jTarget>("target") is { Edition: Neo4jEdition.Community } target)
            yield return new("needs-enterprise", "target", $"{step} needs the Enterprise edition, and {target.Name} is a Community edition.", Instead(step));
    }

    static string Instead(string step) => step == "neo4j.backup" ? "Use neo4j.dump, which stops the server for a while." : "Use neo4j.load with an archive of neo4j.dump.";

    public static void CheckEdition(string step, Neo4jTarget target, Neo4jEdition? edition)
    {
        if (edition == Neo4jEdition.Community)
            throw StepFailedException.Conflict($"{step} needs the Enterprise edition, and {target.Name} is a Community edition.",
                Instead(step));
    }
}
