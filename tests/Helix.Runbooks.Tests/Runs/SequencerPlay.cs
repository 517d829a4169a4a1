using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Runs;

/// <summary>Plays a runbook in memory: an outcome for every start is drawn, and the events go straight into the fold.</summary>
sealed class SequencerPlay
{
    readonly Random _random;
    readonly Sequencer _sequencer;
    readonly Runbook _runbook;
    readonly double _failing;
    readonly Dictionary<string, StepItem> _open = [];

    public RunState State { get; } = new("play");
    public List<string> Starts { get; } = [];
    public List<JournalEntry> Entries { get; } = [];
    public int MostOpen { get; private set; }

    public SequencerPlay(Runbook runbook, int seed, double failing)
    {
        (_runbook, _random, _failing) = (runbook, new Random(seed), failing);
        _sequencer = new Sequencer(runbook, RunHarness.Catalog);
        Add(new RunStarted
        {
            Runbook = "random",
            Title = "Random",
            Environment = "env",
            Mode = "live",
            Operator = RunHarness.Alice,
            Trigger = "unattended",
            Attended = false,
            Inputs = [],
            DeclaredAt = DateTimeOffset.UnixEpoch,
            PlanHash = "x",
            RunbookPath = "/b",
            EnvironmentPath = "/e",
            Pinned = new Dictionary<string, string>(),
            Work = "/w",
            Safe = "/s",
            BaseDirectory = "/",
        });
    }

    /// <summary>One look of the sequencer and one thing that happens. False when the run has ended.</summary>
    public bool Turn()
    {
        var next = _sequencer.Next(State);
        var moved = false;
        foreach (var action in next)
            moved |= Perform(action);
        MostOpen = Math.Max(MostOpen, _open.Count);
        if (!moved && _open.Count > 0)
            Finish(_open.Keys.ElementAt(_random.Next(_open.Count)));
        return State.Ended is null;
    }

    /// <summary>The actions of a sequencer that has seen nothing before: it must say the same.</summary>
    public (IReadOnlyList<NextAction> Fresh, IReadOnlyList<NextAction> Used) Compare() =>
        (new Sequencer(_runbook, RunHarness.Catalog).Next(State), _sequencer.Next(State));

    public void Cancel() => Add(new CancelRequested("enough"), RunHarness.Bob);

    bool Perform(NextAction action)
    {
        switch (action)
        {
            case Start start when !_open.ContainsKey(start.Path):
                Starts.Add(start.Path);
                _open[start.Path] = start.Item;
                Add(new StepStarted(start.Path, 1, start.Item.Uses, [], []));
                return true;
            case Enter enter: Add(new BlockEntered(enter.Path, [])); return true;
            case Freeze freeze: Add(new ListFrozen(freeze.Path, (JsonArray)JsonNode.Parse(freeze.Item.List.Text)!)); return true;
            case Interrupt interrupt:
                _open.Remove(interrupt.Path);
                Add(new StepFailed(interrupt.Path, 1, FailureClass.Cancelled, interrupt.Reason, null, null));
                return true;
            case Finish finish: Add(new RunEnded(finish.Outcome, finish.Reason, [])); return true;
            default: return false;
        }
    }

    void Finish(string path)
    {
        _open.Remove(path);
        Add(_random.NextDouble() < _failing
            ? new StepFailed(path, 1, FailureClass.Conflict, "by chance", null, null)
            : new StepSucceeded(path, []));
    }

    void Add(RunEvent e, Person? by = null)
    {
        var entry = new JournalEntry { Sequence = Entries.Count + 1, At = DateTimeOffset.UnixEpoch.AddSeconds(Entries.Count), Epoch = 1, By = by, Event = e, Hash = "" };
        Entries.Add(entry);
        State.Apply(entry);
    }
}
