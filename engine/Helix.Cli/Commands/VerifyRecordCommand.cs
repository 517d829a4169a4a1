using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Runbooks.Runs;

namespace Helix.Cli.Commands;

static class VerifyRecordCommand
{
    public static Command Make(Session session)
    {
        var run = Given.Run(session);
        var head = Given.Text("--head", "HASH", "A head that was kept elsewhere (a report, a message): proves that nothing up to it was changed.");
        return new Verb("verify-record", "Checks the chain of hashes of a run's record.", "helix verify-record 260301-0200 --head 5f1c…")
            .Takes(run).With(head)
            .Does(parsed =>
            {
                var id = session.Store.Resolve(parsed.GetValue(run)!);
                var faults = session.Store.Verify(id, parsed.GetValue(head));
                var state = faults.Count == 0 ? session.Engine.State(id) : null;
                session.Terminal.Give(new JsonObject
                {
                    ["run"] = id,
                    ["sound"] = faults.Count == 0,
                    ["events"] = state?.LastSequence,
                    ["head"] = state?.Head,
                    ["faults"] = new JsonArray([.. faults.Select(f => JsonValue.Create(f))]),
                }, () => state is null ? string.Join("\n", faults) : $"The record of run {id} is sound: {state.LastSequence} events, head {state.Head}.");
                return faults.Count == 0 ? 0 : ExitCodes.Failed;
            });
    }
}
