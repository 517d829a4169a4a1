using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Reports;

namespace Helix.Cli.Commands;

static class LocksCommand
{
    public static Command Make(Session session) => new Verb("locks", "Shows or breaks the locks on targets.", "helix locks list", "helix locks break redis://10.0.0.5:6379 --reason 'host is gone'")
        .Has(List(session), Break(session));

    static Verb List(Session session) => new Verb("list", "Who holds which target, since when.", "helix locks list --json")
        .Does(_ =>
        {
            var locks = session.Store.Locks();
            session.Terminal.Give(new JsonArray([.. locks.Select(ToJson)]), () => locks.Count == 0
                ? "No target is locked."
                : TextTable.Of(["TARGET", "IDENTITY", "KIND", "RUN", "RUNBOOK", "SINCE"],
                    locks.Select(l => (string[])[l.Target, l.Identity, l.Shared ? "shared" : "alone", l.Run, l.Runbook, Words.Moment(l.Since)])));
            return 0;
        });

    static Verb Break(Session session)
    {
        var identity = new Argument<string>("IDENTITY") { Description = "As `helix locks list` shows it." };
        var reason = Given.Reason(required: true);
        return new Verb("break", "Takes a lock away from a run; the reason goes into its record.", "helix locks break redis://10.0.0.5:6379 --reason 'host is gone'")
            .Takes(identity).With(reason)
            .Does(parsed =>
            {
                session.Store.BreakLock(parsed.GetValue(identity)!, session.Operator, Needed.Reason(parsed.GetValue(reason), "break a lock"));
                session.Terminal.Say($"The lock on {parsed.GetValue(identity)} is broken.");
                return 0;
            });
    }

    static JsonObject ToJson(HeldLock held) => new JsonObject
    {
        ["identity"] = held.Identity,
        ["target"] = held.Target,
        ["shared"] = held.Shared,
        ["run"] = held.Run,
        ["runbook"] = held.Runbook,
        ["since"] = held.Since,
    };
}
