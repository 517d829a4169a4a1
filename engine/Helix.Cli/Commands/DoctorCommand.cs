using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Runs;

namespace Helix.Cli.Commands;

static class DoctorCommand
{
    public static Command Make(Session session)
    {
        var runbook = Given.Runbook();
        var environment = Given.Environment();
        var inputs = Given.Inputs();
        return new Verb("doctor", "Does the pre-flight of a runbook alone: tools, credentials, targets, disk space, people.", "helix doctor redis-restore -e compose-local")
            .Takes(runbook).With(environment, inputs)
            .Does(async parsed =>
            {
                var plan = PlanCommand.PlanOf(session, parsed.GetValue(runbook)!, parsed.GetValue(environment)!, parsed.GetValue(inputs), "live");
                IReadOnlyList<Finding> findings = [.. plan.Problems.Select(Of), .. await session.Engine.Doctor(plan, session.Operator.Account)];
                session.Terminal.Give(new JsonArray([.. findings.Select(ToJson)]), () => string.Join("\n", findings.Select(Line)));
                return findings.Any(f => f.Kind == FindingKind.Fault) ? ExitCodes.Failed : 0;
            });
    }

    /// <summary>What the plan complains of is refused by <c>run</c> before any pre-flight.</summary>
    static Finding Of(Problem problem) =>
        new(problem.Position.ToString(), problem.Severity == Severity.Error ? FindingKind.Fault : FindingKind.Warning, problem.Message, problem.Hint);

    static string Line(Finding finding) =>
        $"{Sign(finding.Kind)}  {finding.Subject}: {finding.What}" + (finding.Hint is { } hint ? $"\n           Hint: {hint}" : "");

    static string Sign(FindingKind kind) => kind switch
    {
        FindingKind.Ok => "✔ ok      ",
        FindingKind.Unknown => "? unknown ",
        FindingKind.Warning => "! warning ",
        _ => "✘ fault   ",
    };

    static JsonObject ToJson(Finding finding) => new JsonObject
    {
        ["subject"] = finding.Subject,
        ["kind"] = finding.Kind.ToString().ToLowerInvariant(),
        ["what"] = finding.What,
        ["hint"] = finding.Hint,
    };
}
