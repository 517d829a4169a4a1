using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Cli.Driving;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Steps;

namespace Helix.Cli.Remote;

/// <summary>Answers questions of runs on a server.</summary>
static class RemoteAnswers
{
    public static Command Approve(Session session)
    {
        var glass = Given.Flag("--break-glass", "Works alone, needs a reason, and stays open until it is ratified.");
        return Answer(session, "approve", "Approves what a run asks for; also before the gate is reached.", "helix approve 260301-0200 --input ticket=INC-7", (_, _) => "approve", (parsed, body) => body["breakGlass"] = parsed.GetValue(glass), [], [glass]);
    }

    public static Command Reject(Session session) => Answer(session, "reject", "Rejects what a run asks for.", "helix reject 260301-0200 --reason 'wrong backup'", (_, _) => "reject", (_, _) => { }, [], []);

    public static Command Decide(Session session)
    {
        var choice = new Argument<string>("CHOICE") { Description = "done, failed, retry, skip, go-back, abort; approve, reject or override." };
        var to = Given.Text("--to", "STEP", "For go-back: the step.");
        var with = new Option<string[]>("--with") { Description = "For retry: another value of an option. May be repeated.", HelpName = "OPTION=VALUE", DefaultValueFactory = _ => [] };
        var outputs = new Option<string[]>("--output") { Description = "For done: outputs that later steps use. May be repeated.", HelpName = "NAME=VALUE", DefaultValueFactory = _ => [] };
        return Answer(session, "decide", "Answers a step that failed, is in doubt, or is done by hand.", "helix decide 260301-0200 load retry", (parsed, _) => parsed.GetValue(choice)!, (parsed, body) =>
        {
            body["to"] = parsed.GetValue(to);
            body["with"] = AnswerOptions.Values(parsed.GetValue(with));
            body["outputs"] = AnswerOptions.Values(parsed.GetValue(outputs));
        }, [choice], [to, with, outputs]);
    }

    static Verb Answer(Session session, string name, string summary, string example, Func<ParseResult, JsonObject, string> choose, Action<ParseResult, JsonObject> add, Argument[] arguments, Option[] options)
    {
        var run = RemoteTable.RunArgument();
        var question = AnswerOptions.Question(optional: arguments.Length == 0);
        var reason = Given.Reason(required: name == "reject");
        var evidence = Given.Text("--evidence", "TEXT", "Proof in words or a link.");
        var inputs = Given.Inputs("A field of the form, or for go-back an input. May be repeated.");
        // Reports name the command with it, and a server goes on with its runs by itself.
        var resume = Given.Flag("--resume", "Goes on with the run; a server does that also without it.");
        return new Verb(name, summary, example).Takes([run, question, .. arguments]).With([reason, evidence, inputs, resume, .. options])
            .Does(async parsed =>
            {
                using var server = RemoteServer.Of(session);
                var asked = await Asked(server, parsed.GetValue(run)!, parsed.GetValue(question));
                session.Terminal.Say(session.Terminal.Talk(Page(asked)) + "\n");
                var body = new JsonObject
                {
                    ["question"] = asked["question"]!.GetValue<string>(),
                    ["shownHash"] = asked["shownHash"]!.GetValue<string>(),
                    ["reason"] = parsed.GetValue(reason),
                    ["evidence"] = parsed.GetValue(evidence),
                    ["inputs"] = Given.Pairs(parsed.GetValue(inputs)),
                };
                add(parsed, body);
                body["choice"] = choose(parsed, body);
                var result = await server.Post($"/api/v1/runs/{asked["run"]}/decisions", body);
                session.Terminal.Say(result["message"]!.GetValue<string>());
                session.Terminal.Give(result, () => "");
                return 0;
            });
    }

    /// <summary>All that the hash of the answer stands for, and of whom it is asked until when.</summary>
    static string Page(JsonNode asked) => string.Join("\n",
    [
        $"{asked["path"]} ({asked["kind"]!.GetValue<string>().Replace('-', ' ')})", "", "  " + asked["message"]!.GetValue<string>().Trim().Replace("\n", "\n  ", StringComparison.Ordinal), "",
        .. QuestionPage.Facts(asked["shown"]!.AsObject()),
        $"who:     {asked["whom"]}",
        .. asked["expiresAt"] is { } until ? [$"until:   {Words.Moment(until.GetValue<DateTimeOffset>())}"] : (string[])[],
        .. asked["choices"]!.AsArray() is { Count: > 0 } choices ? [$"choices: {string.Join(", ", choices)}"] : (string[])[],
        $"shown:   {Words.Short(asked["shownHash"]!.GetValue<string>())}",
    ]);

    /// <summary>What is asked now, or at a gate that is still to come: the answer is bound to this very text.</summary>
    static async Task<JsonNode> Asked(RemoteServer server, string run, string? question)
    {
        var open = (await server.Get("/api/v1/decisions")).AsArray().Where(q => q!["run"]!.GetValue<string>().StartsWith(run, StringComparison.Ordinal)
            && (question is null || q["question"]!.GetValue<string>() == question || q["path"]!.GetValue<string>() == question)).ToList();
        if (open.Count == 0 && question is not null)
            return await server.Get($"/api/v1/runs/{run}/gate?path={Uri.EscapeDataString(question)}");
        return open.Count == 1 ? open[0]! : throw new RunbookException(
            open.Count == 0 ? $"Run {run} asks nothing like that now." : $"Run {run} asks {open.Count} questions.",
            open.Count == 0 ? "`helix status` shows what is asked." : "Name one: " + string.Join(", ", open.Select(q => q!["question"])) + ".");
    }
}
