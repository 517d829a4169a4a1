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
    readonly Runbook _runbook;
    readonly double _failing;
    readonly double _skipping;
    readonly bool _forgetful;
    Sequencer _sequencer;
    readonly Dictionary<string, StepItem> _open = [];

    public RunState State { get; } = new("play");

    /// <summary>Steps whose turn came, also those that were skipped then or whose options could not be made.</summary>
    public List<string> Starts { get; } = [];
    public List<JournalEntry> Entries { get; } = [];
    public int MostOpen { get; private set; }

    /// <summary>What still ran when the run ended.</summary>
    public IReadOnlyList<string> LeftRunning { get; private set; } = [];

    /// <param name="forgetful">Each look is that of a driver that has just resumed the run.</param>
    public SequencerPlay(Runbook runbook, int seed, double failing, double skipping = 0, bool forgetful = false)
    {
        (_runbook, _random, _failing, _skipping, _forgetful) = (runbook, new Random(seed), failing, skipping, forgetful);
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
        if (_forgetful)
            _sequencer = new Sequencer(_runbook, RunHarness.Catalog);
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

    /// <summary>What a sequencer says to the same record without the cancel and the end.</summary>
    public IReadOnlyList<NextAction> WithoutCancel()
    {
        var state = new RunState("play");
        foreach (var entry in Entries.Where(e => e.Event is not (CancelRequested or RunEnded)))
            state.Apply(entry with { Sequence = state.LastSequence + 1 });
        return new Sequencer(_runbook, RunHarness.Catalog).Next(state);
    }

    public void Cancel() => Add(new CancelRequested("enough"), RunHarness.Bob);

    bool Perform(NextAction action)
    {
        switch (action)
        {
            case Start start when !_open.ContainsKey(start.Path):
                Starts.Add(start.Path);
                if (_random.NextDouble() < _skipping)
                    Add(new StepSkipped(start.Path, "by chance"));
                else
                    Begin(start.Path, new StepStarted(start.Path, 1, start.Item.Uses, [], []), () => _open[start.Path] = start.Item);
                return true;
            case Enter enter: Begin(enter.Path, new BlockEntered(enter.Path, [])); return true;
            case Freeze freeze: Begin(freeze.Path, new ListFrozen(freeze.Path, (JsonArray)JsonNode.Parse(freeze.Item.List.Text)!)); return true;
            case Interrupt interrupt:
                _open.Remove(interrupt.Path);
                Add(new StepFailed(interrupt.Path, 1, FailureClass.Cancelled, interrupt.Reason, null, null) { Stopped = true });
                return true;
            case Finish finish:
                LeftRunning = [.. _open.Keys];
                Add(new RunEnded(finish.Outcome, finish.Reason, []));
                return true;
            default: return false;
        }
    }

    /// <summary>Sometimes its options, inputs or list cannot be made.</summary>
    void Begin(string path, RunEvent begun, Action? andThen = null)
    {
        if (_random.NextDouble() < _failing / 4)
        {
            Add(new StepFailed(path, 0, FailureClass.InvalidData, "it could not be made", null, null));
            return;
        }
        Add(begun);
        andThen?.Invoke();
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
