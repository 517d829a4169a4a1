using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Cli.Driving;
using Helix.Runbooks.Runs;

namespace Helix.Cli.Commands;

static class ReopenCommand
{
    public static Command Make(Session session)
    {
        var run = Given.Run(session);
        var to = new Option<string>("--to") { Description = "The step to go back to.", HelpName = "STEP", Required = true };
        var reason = Given.Reason(required: false);
        var inputs = Given.Inputs("Another value for an input. May be repeated.");
        var preview = Given.Flag("--preview", "Only shows what would be kept and what would run again.");
        return new Verb("reopen", "Goes back to a step of a run that ended: same incident, same clock, same record.",
                "helix reopen 260301-0200 --to fetch --input backup=neo4j/2026-02-28T23.dump --reason 'the data proved bad'",
                "helix reopen 260301-0200 --to fetch --preview")
            .Takes(run).With(to, reason, inputs, preview)
            .Does(async parsed =>
            {
                var id = session.Store.Resolve(parsed.GetValue(run)!);
                var shown = session.Engine.PreviewReopen(id, parsed.GetValue(to)!);
                if (parsed.GetValue(preview))
                {
                    session.Terminal.Give(ToJson(shown), () => ToText(shown));
                    return 0;
                }
                session.Terminal.Say(ToText(shown));
                session.Engine.Reopen(id, session.Operator, parsed.GetValue(to)!, Needed.Reason(parsed.GetValue(reason), "go back"), Given.Pairs(parsed.GetValue(inputs)));
                return await new RunLoop(session).Run(id, session.Terminal.Interactive);
            });
    }

    static string ToText(ReopenPreview preview) => string.Join("\n",
        $"kept:           {List(preview.Kept)}",
        $"run again:      {List(preview.RunAgain)}",
        $"stale outputs:  {List(preview.Stale)}",
        $"need approval:  {List(preview.NeedApproval)}");

    static string List(IReadOnlyList<string> paths) => paths.Count == 0 ? "nothing" : string.Join(", ", paths);

    static JsonObject ToJson(ReopenPreview preview) => new()
    {
        ["kept"] = Array(preview.Kept),
        ["runAgain"] = Array(preview.RunAgain),
        ["stale"] = Array(preview.Stale),
        ["needApproval"] = Array(preview.NeedApproval),
    };

    static JsonArray Array(IReadOnlyList<string> paths) => new([.. paths.Select(p => JsonValue.Create(p))]);
}
