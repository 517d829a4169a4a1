using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;

namespace Helix.Cli.Driving;

/// <summary>Asks the person at the terminal there and then, when that person may answer; else says who may, and how.</summary>
sealed class Asking
{
    readonly Session _session;
    readonly Terminal _terminal;
    readonly JournalStore _store;
    readonly Engine _engine;
    readonly Plan _plan;
    readonly Keyboard _keyboard;
    readonly HashSet<string> _dealtWith = [];

    public Asking(Session session, JournalStore store, Plan plan)
    {
        (_session, _terminal, _store, _plan) = (session, session.Terminal, store, plan);
        _engine = session.NewEngine(store);
        _keyboard = new Keyboard(session.Terminal.In);
    }

    /// <summary>An open question that was not yet put to this person.</summary>
    public Question? Next(RunState state) => state.Ended is not null ? null : state.OpenQuestions.FirstOrDefault(q => !_dealtWith.Contains(q.Id));

    public async Task Ask(RunState state, Question question)
    {
        _dealtWith.Add(question.Id);
        _terminal.Error.WriteLine();
        _terminal.Error.WriteLine(_terminal.Talk(QuestionPage.Text(state.Run, question)));
        _terminal.Error.WriteLine();
        if (WhyNot(state, question) is { } why)
        {
            _terminal.Error.WriteLine(_terminal.Talk($"{why} This command waits here. Ctrl-C suspends the run."));
            return;
        }
        using var watching = new CancellationTokenSource();
        var over = Over(state.Run, question.Id, watching.Token);
        while (await Answer(question, over) is { } decided)
        {
            if (Decide(state.Run, decided) is not { } result)
                continue;
            _terminal.Error.WriteLine(_terminal.Talk(result.Message));
            if (result.Accepted)
                break;
        }
        await watching.CancelAsync();
    }

    /// <returns>Null: the store is away for now, and the question stays.</returns>
    DecisionResult? Decide(string run, Decided decided)
    {
        try
        {
            return _engine.Decide(run, _session.Operator, decided);
        }
        catch (StoreLostException e) when (e.MayComeBack)
        {
            _terminal.Error.WriteLine(_terminal.Talk($"{e.Message} Whether the answer was taken is not known: while the question is open, answer it again."));
            return null;
        }
    }

    string? WhyNot(RunState state, Question question)
    {
        var asked = question.Asked;
        var me = _session.Operator;
        if (!Approvals.IsAsked(asked, question.Escalated, me, _plan.Environment.Groups))
            return $"You are {me.Account}; {QuestionPage.Whom(question)} may answer.";
        if (asked.Kind != QuestionKind.Approval)
            return null;
        if (Approvals.SelfApproval(asked, state, me) is { } self)
            return People.AreOne(me, state.Started.Operator) ? $"You started the run, so another of {QuestionPage.Whom(question)} must answer." : Words.Sentence(self);
        return asked.Minimum > 1 ? $"This gate wants {asked.Minimum} people with signed answers: add `--sign KEYFILE` to the command." : null;
    }

    /// <summary>Ends when the question needs no answer any more: somebody else gave it, its time is over, or the run stopped.</summary>
    async Task Over(string run, string question, CancellationToken stopped)
    {
        var feed = new RunFeed(_store, run, []);
        while (!stopped.IsCancellationRequested)
        {
            if (IsOver(feed, run, question))
                return;
            await Task.WhenAny(Task.Delay(Watch.Look, _session.Time, stopped));
        }
    }

    bool IsOver(RunFeed feed, string run, string question)
    {
        try
        {
            feed.More();
            return feed.State.Questions.GetValueOrDefault(question) is not { Status: QuestionStatus.Open } || feed.State.Status == RunStatus.Suspended || _store.ReadLease(run) is { Released: true };
        }
        catch (StoreLostException e) when (e.MayComeBack)
        {
            return false; // while the store is away nobody can say so
        }
    }

    /// <returns>Null: answered elsewhere, or later.</returns>
    async Task<Decided?> Answer(Question question, Task over)
    {
        _left = false;
        var choices = question.Asked.Choices.Count > 0 ? question.Asked.Choices : ["approve", "reject"];
        if (await Choice(choices, over) is { } choice && await Filled(question, choice, over) is var decided && !_left && !over.IsCompleted)
            return decided;
        _terminal.Error.WriteLine(over.IsCompleted ? "The question is closed." : "Left open; the command above answers it.");
        return null;
    }

    /// <summary>The input ended in the middle of an answer (Ctrl-D): nothing more is asked, and what was said so far is no answer.</summary>
    bool _left;

    async Task<Decided> Filled(Question question, string choice, Task over)
    {
        var decided = new Decided { Question = question.Id, Choice = choice, ShownHash = question.Asked.ShownHash };
        if (choice is "go-back")
            decided = decided with { To = await Field("back to which step", true, over) };
        if (choice is "reject" or "failed" or "skip" or "abort" or "go-back" or "override")
            decided = decided with { Reason = await Field("reason", true, over) };
        if (choice is "done")
            decided = decided with { Evidence = await Proof(question.Asked, over), Outputs = await Outputs(question.Asked, over) };
        if (choice is "approve" or "done")
            decided = decided with { Inputs = await Form(question.Asked.Inputs, over) };
        return decided;
    }

    async Task<string?> Proof(QuestionAsked asked, Task over)
    {
        foreach (var point in asked.Checklist)
            while (await Field($"{point}: done? (yes)", true, over) is not (null or "yes" or "y"))
                _terminal.Error.WriteLine("Do it first, or Ctrl-C: the question stays.");
        return await Field(asked.EvidenceRequired ? "proof in words or a link" : "evidence (empty: none)", asked.EvidenceRequired, over);
    }

    /// <summary>What later steps read of a step that somebody did by hand.</summary>
    async Task<JsonObject?> Outputs(QuestionAsked asked, Task over)
    {
        if (asked.Kind == QuestionKind.Manual)
            return null;
        var outputs = new JsonObject();
        foreach (var (name, form) in AnswerContent.Needed(_engine.Catalog, _plan, asked.Path))
            if (await Field($"output {name}, which later steps use ({form}, or null)", true, over) is { } value)
                outputs[name] = AnswerOptions.Typed(value);
        return outputs;
    }

    async Task<string?> Choice(IReadOnlyList<string> choices, Task over)
    {
        while (true)
        {
            _terminal.Error.Write($"{string.Join(", ", choices)} or later: ");
            if (await _keyboard.Line(over) is not { } line || line.Trim() is "later" or "l")
                return null;
            var typed = line.Trim();
            var meant = choices.Contains(typed) ? [typed] : choices.Where(c => typed.Length > 0 && c.StartsWith(typed, StringComparison.OrdinalIgnoreCase)).ToList();
            if (meant.Count == 1)
                return meant[0];
            _terminal.Error.WriteLine(meant.Count == 0 ? $"'{typed}' is none of them." : $"'{typed}' could be {string.Join(" or ", meant)}.");
        }
    }

    async Task<string?> Field(string name, bool required, Task over)
    {
        while (!_left && !over.IsCompleted)
        {
            _terminal.Error.Write(_terminal.Talk($"{name}: "));
            if (await _keyboard.Line(over) is not { } line)
                _left = true;
            else if (line.Trim() is { Length: > 0 } text)
                return text;
            else if (!required)
                return null;
        }
        return null;
    }

    async Task<JsonObject> Form(JsonObject form, Task over)
    {
        var filled = new JsonObject();
        foreach (var (name, field) in form)
        {
            var choices = field?["choices"] as JsonArray;
            var what = field?["description"]?.GetValue<string>() is { } description ? $"{name} ({description})" : name;
            if (choices is { Count: > 0 })
                what += $" [{string.Join(", ", choices.Select(c => c!.ToString()))}]";
            if (await Field(what, field?["required"]?.GetValue<bool>() == true, over) is { } value)
                filled[name] = value;
        }
        return filled;
    }
}
