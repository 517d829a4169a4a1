using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;
using Helix.Server.Pages;
using Helix.Server.Web;

namespace Helix.Server.Live;

/// <summary>One run as it is shown: its state is kept up with the journal, and what all see alike is drawn once.</summary>
sealed class LiveRun(Site site, string run)
{
    static readonly TimeSpan Ticking = TimeSpan.FromSeconds(2);
    static readonly TimeSpan Quiet = TimeSpan.FromSeconds(15);

    readonly Lock _lock = new();
    readonly RunState _state = new(run);
    Plan? _plan;
    string? _planHash;
    Func<string, TimeSpan?>? _typical;
    RunModel? _model;
    long _at;

    public string Run => run;

    /// <summary>A run never changes it.</summary>
    public string Environment
    {
        get
        {
            lock (_lock)
            {
                if (_state.LastSequence == 0)
                    CatchUp();
                return _state.Started.Environment;
            }
        }
    }
    public long LookedAt => Volatile.Read(ref _at);

    /// <summary>Where the run stands now.</summary>
    public RunModel Look()
    {
        lock (_lock)
        {
            // The lease first: who takes it or lets the run go after this look says so in the record.
            var lease = site.Store.ReadLease(run);
            CatchUp();
            var driver = DriverOf(lease);
            var lost = IsLost(lease);
            if (_model is null || _model.Sequence != _state.LastSequence || _model.Lost != lost || (_state.Ended is null && site.Time.GetElapsedTime(_at) >= Pace))
                _model = Model(lost ? Without(lease!) : _state, driver, lost);
            return _model with { Driver = driver };
        }
    }

    /// <summary>What people are asked now, without drawing the rest.</summary>
    public RunAsks Asks()
    {
        lock (_lock)
        {
            CatchUp();
            return RunAsks.Of(site.Catalog, _state, PlanNow(), DriverOf(site.Store.ReadLease(run)));
        }
    }

    /// <summary>What a question, by its id or path, is about, also after it was closed; null: nobody was asked.</summary>
    public QuestionKind? KindOf(string question)
    {
        lock (_lock)
        {
            CatchUp();
            return (_state.Questions.GetValueOrDefault(question) ?? _state.Questions.Values.LastOrDefault(q => q.Asked.Path == question))?.Asked.Kind;
        }
    }

    /// <summary>A gate that is still to come, as it will be asked; null: it cannot be answered before.</summary>
    public QuestionModel? Gate(string path)
    {
        lock (_lock)
        {
            CatchUp();
            return site.NewEngine().EarlyQuestion(_state, path) is { } asked ? QuestionModel.Of(site.Catalog, _state, PlanNow(), new Question(asked, site.Time.GetUtcNow())) : null;
        }
    }

    /// <summary>It has ended, and this is the last entry of its record.</summary>
    public bool IsOver(long sequence)
    {
        lock (_lock)
        {
            CatchUp();
            return _state.Ended is not null && _state.LastSequence == sequence;
        }
    }

    /// <summary>How it stands with the objectives now.</summary>
    public Clocks Measure()
    {
        lock (_lock)
        {
            CatchUp();
            return Clocks.Of(_state, PlanNow(), site.Catalog, site.Time.GetUtcNow(), _typical!);
        }
    }

    void CatchUp()
    {
        foreach (var entry in site.Store.Read(run, _state.LastSequence))
            _state.Apply(entry);
    }

    Plan PlanNow()
    {
        if (_plan is null || _planHash != _state.PlanHash)
        {
            _plan = site.Live.PlanOf(_state);
            _planHash = _state.PlanHash;
            _typical = Reporting.Typical(site.NewEngine(), _plan, run);
        }
        return _plan;
    }

    /// <summary>Ends when there may be something new to show.</summary>
    public async Task Next(long version, CancellationToken cancelled)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        await Task.WhenAny(site.Pulse.Next(version, both.Token), Task.Delay(Pace, site.Time, both.Token));
        await both.CancelAsync();
        cancelled.ThrowIfCancellationRequested();
    }

    /// <summary>Even without an event times pass: of a step that runs, and of the objectives while nobody does anything.</summary>
    TimeSpan Pace => _state is { Ended: null, Status: RunStatus.Running } && _model is not { Lost: true } ? Ticking : Quiet;

    /// <summary>By its record it runs, and nobody drives it: what became of its steps nobody knows.</summary>
    bool IsLost(LeaseState? lease) => _state.Status == RunStatus.Running && lease is { IsFree: true } && lease.Epoch == _state.Epoch;

    RunModel Model(RunState state, DrivenBy driver, bool lost)
    {
        var engine = site.NewEngine();
        var plan = PlanNow();
        var now = site.Time.GetUtcNow();
        _at = site.Time.GetTimestamp();
        var report = Reporting.Of(engine, state, plan);
        var asks = RunAsks.Of(engine.Catalog, state, plan, driver);
        return new RunModel
        {
            Sequence = _state.LastSequence,
            At = now,
            Report = report with { Timeline = UntilNow(report, state, now) },
            Tree = RunTree.Lines(_state, plan, now, _typical!, path => site.Drivers.Progress(run, path), driven: !lost),
            Clocks = Clocks.Of(state, plan, site.Catalog, now, _typical!),
            Questions = asks.Questions,
            Glass = asks.Glass,
            Secrets = asks.Secrets,
            Lost = lost,
            CancelAsked = _state.Cancel is not null && _state.Ended is null,
            PauseAsked = _state.PauseAsked,
            Suspended = state.SuspendedBecause,
            Unconfirmed = plan.Environment.Protected && plan.Destroys && !_state.Confirmed.Any(c => c.PlanHash == _state.PlanHash),
        };
    }

    /// <summary>As it stands without its driver; what is folded here goes on with what comes.</summary>
    RunState Without(LeaseState lease)
    {
        var state = RunState.Of(run, site.Store.Read(run).Where(e => e.Sequence <= _state.LastSequence));
        state.LoseDriver(TimeSpan.FromMilliseconds(lease.Beat));
        return state;
    }

    /// <summary>What goes on reaches until now; the report itself ends with the last event.</summary>
    static List<ReportedSpan> UntilNow(RunReport report, RunState state, DateTimeOffset now) => state.Ended is not null
        ? [.. report.Timeline]
        : [.. report.Timeline.Select((s, i) => state.Spans[i].End is null ? s with { End = now } : s)];

    DrivenBy DriverOf(LeaseState? held)
    {
        if (_state.Ended is not null || held is not { Released: false } lease)
            return new DrivenBy(null, false, false);
        return new DrivenBy($"process {lease.Driver.Pid} of {lease.Driver.Account} on {lease.Driver.Host}", site.Drivers.Drives(run), DriverIdentity.IsGone(lease.Driver));
    }
}
