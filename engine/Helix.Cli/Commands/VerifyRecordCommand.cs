using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;

namespace Helix.Cli.Commands;

static class VerifyRecordCommand
{
    public static Command Make(Session session)
    {
        var run = Given.Run(session);
        var head = Given.Text("--head", "HASH", "A head that was kept elsewhere (a report, a message): proves that nothing up to it was changed.");
        return new Verb("verify-record", "Checks the chain of hashes of a run's record.", "helix verify-record 260301-0200", "helix verify-record 260301-0200 --head \"$(cat kept-head)\"")
            .Takes(run).With(head)
            .Does(parsed =>
            {
                var id = session.Store.Resolve(parsed.GetValue(run)!);
                var kept = parsed.GetValue(head)?.Trim().ToLowerInvariant();
                if (kept is not null && (kept.Length != 64 || !kept.All(char.IsAsciiHexDigit)))
                    throw new RunbookException($"'{kept}' is no head of a record.", "A head has 64 hexadecimal digits; reports and messages show it whole.");
                var faults = session.Store.Verify(id, kept);
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
