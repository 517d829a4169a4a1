using System.CommandLine;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Steps;

namespace Helix.Cli.Commands;

static class NoteCommand
{
    public static Command Make(Session session)
    {
        var run = Given.Run(session);
        var text = new Argument<string>("TEXT") { Description = "What was seen or done outside." };
        var finding = Given.Flag("--finding", "Something a drill has shown; it has its own place in the report.");
        var owner = Given.Text("--owner", "NAME", "Who sees to the finding.");
        var due = Given.Text("--due", "DATE", "Until when.");
        return new Verb("note", "Adds a note or the finding of a drill to the record of a run.",
                "helix note 260301-0200 'Firewall opened by the network team at 02:41'",
                "helix note 260301-0200 'The dump took twice the time we thought' --finding --owner alice --due 2026-04-01")
            .Takes(run, text).With(finding, owner, due)
            .Does(parsed =>
            {
                if (!parsed.GetValue(finding) && (parsed.GetValue(owner) ?? parsed.GetValue(due)) is not null)
                    throw new RunbookException("Only a finding has an owner and a date.", "Add --finding. Nothing was noted.");
                var id = session.Store.Resolve(parsed.GetValue(run)!);
                var note = parsed.GetValue(finding)
                    ? DrillFinding.Write(parsed.GetValue(text)!, parsed.GetValue(owner), parsed.GetValue(due))
                    : parsed.GetValue(text)!;
                session.Engine.Note(id, session.Operator, note);
                session.Terminal.Say($"Noted in the record of run {id}.");
                return 0;
            });
    }
}
