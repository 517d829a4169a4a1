using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;

namespace Helix.Runbooks.Runs.Simulations;

enum Turn { Reached, ConditionFalse, Skipped, Failed, Approved, Rejected, WentBack, NoElement, SomeElements }

/// <summary>The turns that runs have taken, by path and by pattern. From events, since a later round forgets what an earlier one did.</summary>
sealed class Trace
{
    readonly HashSet<(string Path, Turn Turn)> _seen = [];

    public Trace(IEnumerable<IReadOnlyList<JournalEntry>> runs)
    {
        foreach (var entries in runs)
        {
            string? rejected = null;
            foreach (var entry in entries)
                rejected = Take(entry.Event, rejected);
        }
    }

    public bool Has(string path, Turn turn) => _seen.Contains((path, turn));
    public bool Ran(string path) => Has(path, Turn.Reached);
    public bool Skipped(string path) => Has(path, Turn.Skipped);

    /// <returns>The path of the approval that was rejected just now: going back is recorded next to it.</returns>
    string? Take(RunEvent happened, string? rejected)
    {
        switch (happened)
        {
            case StepStarted e: Add(e.Path, Turn.Reached); break;
            case QuestionAsked { Kind: QuestionKind.Approval or QuestionKind.Manual } e: Add(e.Path, Turn.Reached); break;
            case WaitStarted e: Add(e.Path, Turn.Reached); break;
            case BlockEntered e: Add(e.Path, Turn.Reached); break;
            case StepFailed { RetryAt: null } e: Add(e.Path, Turn.Failed); break;
            case StepSucceeded { Source: "decision" } e: Add(e.Path, Turn.Approved); break;
            case RoundStarted when rejected is not null: Add(rejected, Turn.WentBack); break;
            case ListFrozen e: Add(e.Path, e.Items.Count == 0 ? Turn.NoElement : Turn.SomeElements); break;
            case StepSkipped e:
                Add(e.Path, Turn.Skipped);
                if (e.Reason.StartsWith("its condition is false", StringComparison.Ordinal))
                    Add(e.Path, Turn.ConditionFalse);
                break;
            case QuestionClosed { Reason: "rejected" } e:
                var path = e.Question[..e.Question.LastIndexOf('#')];
                Add(path, Turn.Rejected);
                return path;
        }
        return null;
    }

    void Add(string path, Turn turn)
    {
        _seen.Add((path, turn));
        _seen.Add((StepPath.Pattern(path), turn));
    }
}
