using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;

namespace Helix.Runbooks.Tests.Faults;

/// <summary>How a run ended, as far as it may not depend on what happened to its drivers, and what is wrong with it in itself.</summary>
sealed record Ending(string Text, IReadOnlyList<string> Faults)
{
    public static Ending Of(Scene scene, Session session)
    {
        var run = session.Run!;
        var entries = session.Store.Read(run);
        var state = RunState.Of(run, entries);
        var steps = state.Steps.Values.OrderBy(s => s.Path, StringComparer.Ordinal).Select(s => $"{s.Path}: {s.Status} {Fixed(s.Outputs)}");
        var text = string.Join("\n", [$"{state.Ended?.Outcome} {Fixed(state.Ended?.Outputs)}", .. steps, .. scene.Lines.Order(StringComparer.Ordinal)]);
        return new Ending(text, [.. Wrong(scene, session, run, entries, state)]);
    }

    static IEnumerable<string> Wrong(Scene scene, Session session, string run, IReadOnlyList<JournalEntry> entries, RunState state)
    {
        foreach (var twice in scene.Lines.CountBy(l => l).Where(l => l.Value > 1))
            yield return $"'{twice.Key}' was done {twice.Value} times";
        foreach (var problem in session.Store.Verify(run))
            yield return $"the record: {problem}";
        foreach (var held in session.Store.Locks())
            yield return $"still locked: {held}";
        foreach (var decided in entries.Select(e => e.Event).OfType<Decided>())
            if (!state.Questions.Values.Any(q => q.Answers.Any(a => a.Decision == decided)))
                yield return $"a decision is lost: {decided.Choice} of {decided.Question}";
        foreach (var twice in entries.Select(e => e.Event).OfType<StepSucceeded>().CountBy(s => s.Path).Where(s => s.Value > 1))
            yield return $"{twice.Key} succeeded {twice.Value} times";
        if (entries.Count(e => e.Event is RunEnded) != 1)
            yield return "it did not end exactly once";
    }

    /// <summary>Without what depends on the order of parallel branches and on the time.</summary>
    static string Fixed(JsonObject? outputs)
    {
        if (outputs is null)
            return "";
        var copy = (JsonObject)outputs.DeepClone();
        copy.Remove("lines");
        copy.Remove("waited");
        return copy.ToJsonString();
    }
}
