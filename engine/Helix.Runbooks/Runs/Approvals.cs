using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;

namespace Helix.Runbooks.Runs;

/// <summary>Who may answer a question, and when its answers decide it. Pure.</summary>
public static class Approvals
{
    /// <summary>Null when the answer counts; else why it is refused.</summary>
    public static string? Refusal(QuestionAsked asked, IReadOnlyList<string> escalated, RunState state, Person by, Decided decision, IReadOnlyDictionary<string, IReadOnlyList<string>> groups)
    {
        if (!asked.Choices.Contains(decision.Choice))
            return $"'{decision.Choice}' is no answer here; possible: {string.Join(", ", asked.Choices)}";
        if (decision.Choice is "reject" or "failed" or "skip" or "abort" or "override" && string.IsNullOrWhiteSpace(decision.Reason))
            return $"'{decision.Choice}' needs a reason";
        if (decision.BreakGlass)
            return string.IsNullOrWhiteSpace(decision.Reason) ? "break-glass needs a reason: --reason '…'" : MissingInput(asked.Inputs, decision.Inputs, decision.Choice);
        if (!IsAsked(asked, escalated, by, groups))
            return $"{by.Account} is not among those who are asked ({string.Join(", ", asked.Approvers.Concat(escalated))})";
        if (asked.Kind == QuestionKind.Approval && decision.Choice == "approve")
        {
            if (SelfApproval(asked, state, by) is { } self)
                return self;
            if (!asked.AuthorMayApprove && state.GitAuthor is { } author && by.Called.Any(n => IsAuthor(author, n)))
                return $"{by.Account} is the last author of the runbook, and the author may not approve it";
            if (by.Strength < asked.Strength)
                return $"this gate wants an identity that is {Words(asked.Strength.Value)}, and {by.Account} is {Words(by.Strength)}";
            if (asked.Minimum > 1 && by.Strength == IdentityStrength.Os)
                return $"this gate wants {asked.Minimum} people, and an operating system account alone proves too little: sign the answer (--sign KEYFILE)";
        }
        return MissingInput(asked.Inputs, decision.Inputs, decision.Choice);
    }

    /// <summary>Somebody whom the question names: the account, or a group that it is in or that an identity provider vouches for.</summary>
    public static bool IsAsked(QuestionAsked asked, IReadOnlyList<string> escalated, Person by, IReadOnlyDictionary<string, IReadOnlyList<string>> groups) =>
        asked.Approvers.Count == 0 || IsAsked([.. asked.Approvers, .. escalated], by, groups);

    /// <param name="named">Accounts and groups; none: anybody.</param>
    public static bool IsAsked(IReadOnlyList<string> named, Person by, IReadOnlyDictionary<string, IReadOnlyList<string>> groups) =>
        named.Count == 0 || Names(named, groups).Contains(by.Account) || named.Any(n => IsIn(n, by));

    /// <summary>Null: somebody else started the run, and that is certain; or it does not matter.</summary>
    public static string? SelfApproval(QuestionAsked asked, RunState state, Person by)
    {
        var starter = state.Started.Operator;
        if (asked.SelfApproval)
            return null;
        return People.Compare(by, starter) switch
        {
            Sameness.Two => null,
            Sameness.One => $"{by.Account} started the run{(by.Account == starter.Account ? "" : $" as {starter.Account}")}, and who starts it may not approve it",
            _ => $"{by.Account} may be the person who started the run as {starter.Account}: nobody who knows both says that they are two. An administrator says how {by.Account} is called there (page Accounts)",
        };
    }

    /// <summary>Open, or what the answers decide.</summary>
    public static QuestionStatus Tally(Question question, IReadOnlyDictionary<string, IReadOnlyList<string>> groups)
    {
        var answers = question.Answers;
        if (answers.Any(a => a.Decision.Choice is "reject" or "failed" or "abort"))
            return QuestionStatus.Rejected;
        if (question.Asked.Kind != QuestionKind.Approval)
            return answers.Count > 0 ? QuestionStatus.Approved : QuestionStatus.Open;
        if (answers.Any(a => a.Decision.BreakGlass))
            return QuestionStatus.Approved;
        var people = answers.Where(a => a.Decision.Choice is "approve" or "override").Select(a => a.By).ToList();
        var each = question.Asked.OneFromEach.All(g => Names([g], groups) is var members && people.Any(p => members.Contains(p.Account) || IsIn(g, p)));
        return People.Count(people) >= question.Asked.Minimum && each ? QuestionStatus.Approved : QuestionStatus.Open;
    }

    /// <summary>Accounts behind names and <c>group:NAME</c>.</summary>
    public static HashSet<string> Names(IReadOnlyList<string> approvers, IReadOnlyDictionary<string, IReadOnlyList<string>> groups)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var approver in approvers)
            if (approver.StartsWith("group:", StringComparison.Ordinal))
                names.UnionWith(groups.GetValueOrDefault(approver["group:".Length..]) ?? []);
            else if (groups.TryGetValue(approver, out var members))
                names.UnionWith(members);
            else
                names.Add(approver);
        return names;
    }

    public static string Words(IdentityStrength strength) => strength switch
    {
        IdentityStrength.Os => "an account of the operating system",
        IdentityStrength.Password => "proven by a password or token of a server",
        IdentityStrength.Signed => "proven by a signature (--sign KEYFILE)",
        _ => "vouched for by an identity provider",
    };

    static bool IsIn(string group, Person by) => by.Groups?.Contains(group.StartsWith("group:", StringComparison.Ordinal) ? group["group:".Length..] : group) == true;

    static bool IsAuthor(string author, string account) =>
        author.Equals(account, StringComparison.OrdinalIgnoreCase) || author.Contains($"<{account}@", StringComparison.OrdinalIgnoreCase);

    /// <summary>A field of the form as what it is: pages and the command line send text, and steps compare numbers.</summary>
    public static JsonNode? InItsType(JsonObject form, string name, JsonNode? value) =>
        value is not null && form[name] is { } field && TypeOf(field) is var (type, choices) && InputBinder.Fit(type, value, choices) is { } fit ? fit : value?.DeepClone();

    static (InputType Type, IReadOnlyList<string> Choices) TypeOf(JsonNode field) =>
        (Enum.Parse<InputType>(field["type"]?.GetValue<string>() ?? "string", ignoreCase: true), [.. field["choices"]?.AsArray().Select(c => c!.GetValue<string>()) ?? []]);

    static string? MissingInput(JsonObject form, JsonObject given, string choice)
    {
        if (choice is not ("approve" or "done"))
            return null;
        foreach (var (name, field) in form)
        {
            var (type, choices) = TypeOf(field!);
            if (given[name] is not { } value)
            {
                if (field!["required"]?.GetValue<bool>() == true)
                    return $"the answer needs '{name}' ({InputBinder.Form(type, choices)}): --input {name}=…";
            }
            else if (InputBinder.Fit(type, value, choices) is null)
                return $"'{name}' must be {InputBinder.Form(type, choices)}";
        }
        return given.Select(g => g.Key).FirstOrDefault(k => !form.ContainsKey(k)) is { } extra ? $"the form has no field '{extra}'" : null;
    }
}
