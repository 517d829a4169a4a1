using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;

namespace Helix.Runbooks.Reports;

/// <summary>A question to people in words: what is asked, of whom, until when, and the one command that answers it.</summary>
public static class QuestionPage
{
    /// <summary>Who is asked, and how many of them have approved so far.</summary>
    public static string Whom(Question question) =>
        question.Answers.Count(a => a.Decision.Choice == "approve") is > 0 and var given && Asked(question) is var asked && asked != Anybody ? $"{asked} ({given} approved)" : Asked(question);

    /// <summary>The same with the rules that hold for who approves.</summary>
    public static string WhomByRules(Question question) => Whom(question) + InBrackets(Rules(question.Asked));

    /// <summary>Who was asked, by which rules, whatever was answered.</summary>
    public static string AskedByRules(Question question) => Asked(question) + InBrackets(Rules(question.Asked));

    const string Anybody = "anybody";

    static string Asked(Question question)
    {
        List<string> who = [.. question.Asked.Approvers, .. question.Escalated];
        return who.Count == 0 ? Anybody : (question.Asked.Minimum > 1 ? $"{question.Asked.Minimum} of " : "") + string.Join(", ", who);
    }

    static string InBrackets(IReadOnlyList<string> rules) => rules.Count > 0 ? $" ({string.Join(", ", rules)})" : "";

    public static string FirstLine(Question question) => question.Asked.Message.TrimStart().Split('\n')[0];

    /// <summary>The one command that goes on.</summary>
    public static string Command(string run, Question question) => question.Asked.Kind switch
    {
        QuestionKind.Approval => $"helix approve {run} {Quoted(question.Id)}{Form(question)} --resume",
        QuestionKind.Manual => $"helix decide {run} {Quoted(question.Id)} done{(question.Asked.EvidenceRequired ? " --evidence '…'" : "")}{Form(question)} --resume",
        // Whoever pastes it as it stands has decided nothing: CHOICE is refused, and what it can be is a comment of the shell.
        _ => $"helix decide {run} {Quoted(question.Id)} CHOICE --resume   # CHOICE: {string.Join(", ", question.Asked.Choices)}",
    };

    /// <summary>What the form demands.</summary>
    static string Form(Question question) =>
        string.Concat(question.Asked.Inputs.Where(f => f.Value?["required"]?.GetValue<bool>() == true).Select(f => $" --input {f.Key}=…"));

    public static string Text(string run, Question question)
    {
        var asked = question.Asked;
        var lines = new List<string> { $"{Title(asked.Kind)} {asked.Path}", "", Indent(asked.Message.Trim()), "" };
        lines.AddRange(Facts(asked.Shown));
        if (asked.Approvers.Count > 0)
            lines.Add($"who:     {WhomByRules(question)}");
        if (asked.ExpiresAt is { } expires)
            lines.Add($"until:   {Words.Moment(expires)}, then: {asked.OnExpiry}{(asked.EscalateTo is { } to ? " to " + to : "")}");
        if (asked.Choices.Count > 0)
            lines.Add($"choices: {string.Join(", ", asked.Choices)}");
        foreach (var answer in question.Answers)
            lines.Add($"         {answer.By.Account}: {answer.Decision.Choice}{(answer.Decision.Reason is { } r ? ": " + r : "")}");
        if (asked.ShownHash.Length > 0)
            lines.Add($"shown:   {Words.Short(asked.ShownHash)}");
        lines.Add($"command: {Command(run, question)}");
        return string.Join("\n", lines);
    }

    public static JsonObject Json(string run, Question question) => new()
    {
        ["question"] = question.Id,
        ["path"] = question.Asked.Path,
        ["kind"] = JsonNamingPolicy.KebabCaseLower.ConvertName(question.Asked.Kind.ToString()),
        ["message"] = question.Asked.Message,
        ["shown"] = question.Asked.Shown.DeepClone(),
        ["shownHash"] = question.Asked.ShownHash,
        ["approvers"] = new JsonArray([.. question.Asked.Approvers.Select(a => JsonValue.Create(a))]),
        ["minimum"] = question.Asked.Minimum,
        ["choices"] = new JsonArray([.. question.Asked.Choices.Select(c => JsonValue.Create(c))]),
        ["expiresAt"] = question.Asked.ExpiresAt,
        ["command"] = Command(run, question),
    };

    static string Title(QuestionKind kind) => kind switch
    {
        QuestionKind.Approval => "Approval",
        QuestionKind.Manual => "To be done by hand:",
        QuestionKind.FailedStep => "Failed:",
        _ => "In doubt:",
    };

    /// <summary>What an approval demands of those who give it, beside being asked.</summary>
    public static IReadOnlyList<string> Rules(QuestionAsked asked) => asked.Kind == QuestionKind.Approval
        ? [.. asked.OneFromEach.Select(g => $"one from {g}"), .. asked.SelfApproval ? [] : (string[])["not who started the run"], .. asked.AuthorMayApprove ? [] : (string[])["not the author"],
            .. asked.Strength is { } strength ? (string[])[$"whose identity is {Approvals.Words(strength)}"] : []]
        : [];

    /// <summary>The facts behind the message: lists and groups of facts one line each.</summary>
    public static IEnumerable<string> Facts(JsonObject shown) => shown.SelectMany(fact => fact.Value switch
    {
        JsonArray { Count: > 0 } list => (string[])[$"{fact.Key}:", .. list.Select(e => "  " + Plain(e))],
        JsonObject { Count: > 0 } group => [$"{fact.Key}:", .. group.Select(e => $"  {e.Key}: {Covered(e.Value)}")],
        null or JsonArray or JsonObject => [],
        _ => [$"{fact.Key}: {Plain(fact.Value)}"],
    });

    /// <summary>A step that an approval covers, in one line: type, effect, options.</summary>
    static string Covered(JsonNode? step) => step is JsonObject facts && facts["uses"] is { } uses
        ? $"{Plain(uses)}, {Plain(facts["effect"])}: {string.Join(", ", (facts["with"] as JsonObject ?? []).Select(o => $"{o.Key} = {Plain(o.Value)}"))}"
        : Plain(step);

    static string Plain(JsonNode? value) => value is JsonValue v && v.TryGetValue<string>(out var text) ? text : value?.ToJsonString(Steps.StepJson.Options) ?? "null";
    static string Indent(string text) => "  " + text.Replace("\n", "\n  ", StringComparison.Ordinal);

    /// <summary>For a shell: ids may hold brackets, a hash and slashes.</summary>
    public static string Quoted(string text) => text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '/' or '.' or '-' or ':' or '@') ? text : $"'{text}'";
}
