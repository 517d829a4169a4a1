using System.CommandLine;
using Helix.Cli.Driving;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Mode = Helix.Runbooks.Plans.Mode;

namespace Helix.Cli.Commands;

static class RunCommand
{
    public static Command Make(Session session)
    {
        var runbook = Given.Runbook();
        var environment = Given.Environment();
        var inputs = Given.Inputs();
        var mode = PlanCommand.ModeOption();
        var exercise = Given.Flag("--exercise", "A drill on a protected environment that was announced and is approved by a gate.");
        var occurred = Given.Text("--occurred-at", "TIME", "When it happened, as 2026-03-01T02:00:00Z.");
        var declared = Given.Text("--declared-at", "TIME", "When the incident was declared; the RTO clock starts here. Default: now.");
        var incident = Given.Text("--incident", "ID", "The id of the incident.");
        var unattended = Given.Flag("--unattended", "Nobody is there to answer: a failed step ends the run, a gate ends the command with exit code 4.");
        var comms = new Option<string>("--comms") { Description = "Messages to the outside: off, test (marked as a test) or on.", HelpName = "off|test|on", DefaultValueFactory = _ => "on" };
        comms.AcceptOnlyFromAmong("off", "test", "on");
        var participants = new Option<string[]>("--participant") { Description = "Who takes part, for the record. May be repeated.", HelpName = "NAME", DefaultValueFactory = _ => [] };
        var confirm = Given.Text("--confirm-environment", "NAME", "The name of the protected environment, where nobody can type it.");
        var queue = Given.Flag("--queue", "Waits until the targets are free, instead of ending with exit code 11 when another run holds one.");
        return new Verb("run", "Runs a runbook.",
                "helix run runbooks/redis-restore.yaml --environment runbooks/environments/compose-local.yaml --input backup=latest-proven",
                "helix run redis-restore -e production --incident INC-42 --occurred-at 2026-03-01T02:00:00Z")
            .Takes(runbook)
            .With(environment, inputs, mode, exercise, occurred, declared, incident, unattended, comms, participants, confirm, queue)
            .Does(parsed => Run(session,
                PlanCommand.PlanOf(session, parsed.GetValue(runbook)!, parsed.GetValue(environment)!, parsed.GetValue(inputs), parsed.GetValue(mode)!),
                parsed.GetValue(confirm),
                parsed.GetValue(queue),
                new StartRequest
                {
                    Operator = session.Operator,
                    Trigger = Attended(session, parsed.GetValue(unattended)) ? "terminal" : "unattended",
                    Attended = Attended(session, parsed.GetValue(unattended)),
                    OccurredAt = Given.Moment(parsed.GetValue(occurred), "--occurred-at"),
                    DeclaredAt = Given.Moment(parsed.GetValue(declared), "--declared-at"),
                    Incident = parsed.GetValue(incident),
                    Comms = parsed.GetValue(comms)!,
                    Participants = parsed.GetValue(participants) ?? [],
                    Exercise = parsed.GetValue(exercise),
                }));
    }

    static bool Attended(Session session, bool unattended) => session.Terminal.Interactive && !unattended;

    static async Task<int> Run(Session session, Plan plan, string? confirmed, bool queue, StartRequest request)
    {
        if (plan.Problems.Any(p => p.Severity == Severity.Error))
            throw new RunbookException($"{plan.Runbook.Source.Path} cannot be run:\n" + string.Join("\n", plan.Problems), "`helix plan` shows the whole plan with its problems.");
        foreach (var warning in plan.Problems)
            session.Terminal.Say(warning.ToString());
        var typed = Confirmation.Of(session, plan, confirmed, request.Attended);
        var run = queue ? await Queued(session, plan, request) : session.Engine.Start(plan, request);
        if (typed is not null)
            session.Engine.ConfirmDestruction(run, session.Operator, typed);
        session.Terminal.Say($"Run {run}: {plan.Runbook.Title} on {plan.Environment.Name} ({plan.Mode.ToString().ToLowerInvariant()})");
        return await new RunLoop(session).Run(run, request.Attended);
    }

    /// <summary>Says once for whom it waits; Ctrl-C leaves the queue, and nothing was done.</summary>
    static async Task<string> Queued(Session session, Plan plan, StartRequest request)
    {
        using var signals = new StopSignals(session.Terminal, "Leaving the queue.");
        var said = "";
        try
        {
            return await session.Engine.StartWhenFree(plan, request, held =>
            {
                if (said != held.Message)
                    session.Terminal.Say($"Waiting: {said = held.Message}");
            }, signals.Interrupt);
        }
        catch (OperationCanceledException)
        {
            throw new HeldException("Left the queue; nothing was started.\n" + said);
        }
    }
}
