using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;

namespace Helix.Runbooks.Reports;

/// <summary>A question to people in words: what is asked, of whom, until when, and the one command that answers it.</summary>
public static class QuestionPage
{
    public static string Whom(Question question)
    {
        List<string> who = [.. question.Asked.Approvers, .. question.Escalated];
        if (who.Count == 0)
            return "anybody";
        var text = string.Join(", ", who);
        if (question.Asked.Minimum > 1)
            text = $"{question.Asked.Minimum} of {text}";
        var given = question.Answers.Count(a => a.Decision.Choice == "approve");
        return given > 0 ? $"{text} ({given} approved)" : text;
    }

    public static string FirstLine(Question question) => question.Asked.Message.TrimStart().Split('\n')[0];

    /// <summary>The one command that goes on.</summary>
    public static string Command(string run, Question question) => question.Asked.Kind switch
    {
        QuestionKind.Approval => $"helix approve {run} {Quoted(question.Id)}{Form(question)} --resume",
        QuestionKind.Manual => $"helix decide {run} {Quoted(question.Id)} done{(question.Asked.Shown["evidenceRequired"]?.GetValue<bool>() == true ? " --evidence '…'" : "")}{Form(question)} --resume",
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
            lines.Add($"who:     {Whom(question)}{(Rules(asked) is { Count: > 0 } rules ? $" ({string.Join(", ", rules)})" : "")}");
        if (asked.ExpiresAt is { } expires)
            lines.Add($"until:   {Words.Moment(expires)}, then: {asked.OnExpiry}{(asked.EscalateTo is { } to ? " to " + to : "")}");
        if (asked.Choices.Count > 0)
            lines.Add($"choices: {string.Join(", ", asked.Choices)}");
        foreach (var answer in question.Answers)
            lines.Add($"         {answer.By.Account}: {answer.Decision.Choice}{(answer.Decision.Reason is { } r ? ": " + r : "")}");
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
