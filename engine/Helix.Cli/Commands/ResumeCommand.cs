using System.CommandLine;
using Helix.Cli.Driving;

namespace Helix.Cli.Commands;

static class ResumeCommand
{
    public static Command Make(Session session)
    {
        var run = Given.Run(session);
        var unattended = Given.Flag("--unattended", "Nobody is there to answer.");
        var changed = Given.Flag("--take-changes", "Goes on with runbook and environment as they are in the files now; the difference goes into the record.");
        var confirm = Given.Text("--confirm-environment", "NAME", "The name of the protected environment, where nobody can type it.");
        return new Verb("resume", "Goes on with a run that was suspended, waits, or lost its driver.", "helix resume 260301-0200")
            .Takes(run).With(unattended, changed, confirm)
            .Does(parsed => Resume(session, session.Store.Resolve(parsed.GetValue(run)!), parsed.GetValue(changed), parsed.GetValue(confirm), session.Terminal.Interactive && !parsed.GetValue(unattended)));
    }

    static async Task<int> Resume(Session session, string run, bool takeChanges, string? confirmed, bool attended)
    {
        var engine = session.Engine;
        if (takeChanges)
            await engine.TakeChanges(run, session.Operator);
        else if (engine.Changes(run) is { Length: > 0 } diff)
            session.Terminal.Say($"These files have changed since the run began; it goes on with what it pinned.\n{diff}`--take-changes` goes on with the files of today.");
        var state = engine.State(run);
        if (state.Ended is null && !state.Confirmed.Any(c => c.PlanHash == state.PlanHash) && Confirmation.Of(session, engine.PlanOf(state), confirmed, attended) is { } typed)
            engine.ConfirmDestruction(run, session.Operator, typed);
        return await new RunLoop(session).Run(run, attended);
    }
}
