using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;

namespace Helix.Server.Pages;

/// <summary>All that the page of a run shows; the same for everybody.</summary>
public sealed record RunModel
{
    public required long Sequence { get; init; }
    public required DateTimeOffset At { get; init; }
    public required RunReport Report { get; init; }
    public required IReadOnlyList<TreeLine> Tree { get; init; }
    public required Clocks Clocks { get; init; }
    public required IReadOnlyList<QuestionModel> Questions { get; init; }
    /// <summary>Answers by break-glass that nobody has ratified.</summary>
    public required IReadOnlyList<GlassModel> Glass { get; init; }

    /// <summary>Secrets that its driver asks people for.</summary>
    public required IReadOnlyList<SecretModel> Secrets { get; init; }

    /// <summary>By its record it runs, and its driver is gone.</summary>
    public required bool Lost { get; init; }
    public required bool CancelAsked { get; init; }
    public required bool PauseAsked { get; init; }
    public string? Suspended { get; init; }

    /// <summary>The name of the protected environment was not typed for this plan yet.</summary>
    public required bool Unconfirmed { get; init; }
    public DrivenBy Driver { get; init; } = new(null, false, false);

    public bool Ended => Report.EndedAt is not null;

    /// <summary>Nobody drives it, and somebody could.</summary>
    public bool Resumable => !Ended && (Driver.Who is null || Driver.Gone) && !Driver.Here;
}

/// <summary>What people are asked for in a run.</summary>
public sealed record RunAsks(IReadOnlyList<QuestionModel> Questions, IReadOnlyList<SecretModel> Secrets, IReadOnlyList<GlassModel> Glass, DrivenBy Driver)
{
    public static RunAsks Of(StepCatalog catalog, RunState state, Plan plan, DrivenBy driver) =>
        new([.. state.OpenQuestions.Select(q => QuestionModel.Of(catalog, state, plan, q))], state.Ended is null ? SecretModel.Of(state, plan) : [], GlassModel.Of(state, plan), driver);
}

/// <summary>Who has the lease; null: nobody.</summary>
public sealed record DrivenBy(string? Who, bool Here, bool Gone);

/// <summary>What one person approved alone, until somebody else agrees.</summary>
/// <param name="WhyNot">Null: this person may ratify it.</param>
public sealed record GlassModel(string Run, string Title, string Environment, string Question, Answer Answer, Func<Person, string?> WhyNot)
{
    public static IReadOnlyList<GlassModel> Of(RunState state, Plan plan) => [.. state.Unratified.Select(u => new GlassModel(
        state.Run, state.Started.Title, state.Started.Environment, u.Key, u.Value, Engine.WhyNotRatify(state, plan, u.Key)))];
}

/// <summary>A secret that is asked for; its value goes to the driver and nowhere else.</summary>
/// <param name="WhyNot">Null: this person is among those who are asked.</param>
public sealed record SecretModel(string Run, string Title, string Environment, SecretAsked Asked, Func<Person, string?> WhyNot)
{
    public static IReadOnlyList<SecretModel> Of(RunState state, Plan plan) => [.. state.SecretsAsked.Values.Select(asked => new SecretModel(
        state.Run, state.Started.Title, state.Started.Environment, asked,
        person => Approvals.IsAsked(asked.From, person, plan.Environment.Groups) ? null : $"{string.Join(", ", asked.From)} may give it."))];
}

/// <summary>A question as it is put to people, with what its form needs.</summary>
public sealed record QuestionModel
{
    public required string Run { get; init; }
    public required string Title { get; init; }
    public required string Environment { get; init; }
    public required string Id { get; init; }
    public required string Path { get; init; }
    public required QuestionKind Kind { get; init; }
    public required string Message { get; init; }
    public required JsonObject Shown { get; init; }
    public required IReadOnlyList<string> Checklist { get; init; }
    public required bool EvidenceRequired { get; init; }
    public required string ShownHash { get; init; }
    public required string Whom { get; init; }
    public required IReadOnlyList<string> Rules { get; init; }
    public required IReadOnlyList<string> Choices { get; init; }
    public required DateTimeOffset Asked { get; init; }
    public DateTimeOffset? Expires { get; init; }
    public required string OnExpiry { get; init; }
    public required IReadOnlyList<FormInput> Form { get; init; }
    public required IReadOnlyList<Answer> Answers { get; init; }

    /// <summary>For going back: the steps before, and the inputs that may be given anew.</summary>
    public required IReadOnlyList<string> Before { get; init; }
    public required IReadOnlyList<FormInput> Inputs { get; init; }

    /// <summary>Outputs that whoever did the step by hand must say, and what each must be: later steps use them.</summary>
    public required IReadOnlyList<(string Name, string Form)> Needed { get; init; }

    /// <summary>Null: this person is among those who are asked; else why not.</summary>
    public required Func<Person, string?> WhyNot { get; init; }

    public static QuestionModel Of(StepCatalog catalog, RunState state, Plan plan, Question question)
    {
        var asked = question.Asked;
        var order = plan.Find(asked.Path)?.Order ?? int.MaxValue;
        // A page asks who may answer when the state is another already.
        List<string> escalated = [.. question.Escalated];
        return new QuestionModel
        {
            Run = state.Run,
            Title = state.Started.Title,
            Environment = state.Started.Environment,
            Id = question.Id,
            Path = asked.Path,
            Kind = asked.Kind,
            Message = asked.Message.Trim(),
            Shown = (JsonObject)asked.Shown.DeepClone(),
            Checklist = asked.Checklist,
            EvidenceRequired = asked.EvidenceRequired,
            ShownHash = asked.ShownHash,
            Whom = QuestionPage.Whom(question),
            Rules = QuestionPage.Rules(asked),
            Choices = asked.Choices,
            Asked = question.At,
            Expires = question.Escalated.Count == 0 ? asked.ExpiresAt : null,
            OnExpiry = asked.OnExpiry,
            Form = [.. asked.Inputs.Select(f => FormInput.OfQuestion(f.Key, f.Value!))],
            Answers = [.. question.Answers],
            Before = [.. plan.Steps.Where(s => s.Part == Part.Steps && s.Order < order && !s.Path.Contains("[]", StringComparison.Ordinal)).Select(s => s.Path)],
            Inputs = [.. plan.Runbook.Inputs.Select(i => FormInput.OfRunbook(i.Key, i.Value, state.Inputs[i.Key]))],
            Needed = asked.Choices.Contains("done") && asked.Kind is QuestionKind.FailedStep or QuestionKind.InDoubt ? AnswerContent.Needed(catalog, plan, asked.Path) : [],
            WhyNot = person => Who(asked, escalated, state, plan, person),
        };
    }

    static string? Who(QuestionAsked asked, IReadOnlyList<string> escalated, RunState state, Plan plan, Person person)
    {
        if (!Approvals.IsAsked(asked, escalated, person, plan.Environment.Groups))
            return $"{string.Join(", ", asked.Approvers.Concat(escalated))} may answer.";
        if (asked.Kind == QuestionKind.Approval && person.Strength < asked.Strength)
            return $"Whoever approves must be {Approvals.Words(asked.Strength.Value)}; you are {Approvals.Words(person.Strength)}.";
        if (asked.Kind != QuestionKind.Approval || Approvals.SelfApproval(asked, state, person) is not { } self)
            return null;
        return People.AreOne(person, state.Started.Operator) ? "You started the run, so somebody else must approve it." : Words.Sentence(self) + ".";
    }
}

/// <summary>A field of a form, whatever asks for it.</summary>
public sealed record FormInput(string Name, InputType Type, string? Description, bool Required, IReadOnlyList<string> Choices, string? Value)
{
    /// <summary>For a backup: those that may be chosen, newest first.</summary>
    public IReadOnlyList<(string Key, string Words)> Backups { get; init; } = [];

    public static FormInput OfRunbook(string name, Input input, JsonNode? value = null) =>
        new(name, input.Type, input.Description, input.Required, input.Choices, Text(value ?? input.Default));

    public static FormInput OfQuestion(string name, JsonNode field) => new(
        name, Enum.Parse<InputType>(field["type"]?.GetValue<string>() ?? "string", ignoreCase: true), field["description"]?.GetValue<string>(),
        field["required"]?.GetValue<bool>() ?? false, [.. (field["choices"] as JsonArray ?? []).Select(c => c!.GetValue<string>())], null);

    static string? Text(JsonNode? value) => value is JsonValue v && v.TryGetValue<string>(out var text) ? text : value?.ToJsonString();
}
