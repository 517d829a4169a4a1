using System.Collections.Concurrent;
using System.Data.Common;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;

namespace Helix.Cli.Driving;

/// <summary>Drives a run and shows it: a live tree with questions at a terminal, else one line per change.</summary>
sealed class RunLoop(Session session)
{
    readonly ConcurrentDictionary<string, StepProgress> _progress = [];
    readonly ConcurrentQueue<LogLine> _log = [];
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(40);

    public async Task<int> Run(string run, bool attended)
    {
        using var signals = new StopSignals(session.Terminal);
        using var store = session.OpenStore();
        var feed = new RunFeed(store, run, session.Store.Read(run));
        feed.More();
        var plan = session.Engine.PlanOf(feed.State);
        var bell = new Bell();
        IRunView view = attended ? new LiveView(session, store, plan, _progress) : new LineView(session.Terminal, plan, feed.State);
        var driving = Task.Run(() => session.Engine.Drive(run, new DriveSettings
        {
            StayWhileWaiting = attended,
            Interrupt = signals.Interrupt,
            Kill = signals.Kill,
            Changed = _ => bell.Ring(),
            Logged = _log.Enqueue,
            Progressed = (path, done, total, unit) => _progress[path] = new StepProgress(done, total, unit),
        }));
        try
        {
            await Follow(driving, bell, feed, view);
        }
        finally
        {
            // Whatever becomes of the screen: the run is driven to its end, or to where it stops in order.
            await Task.WhenAny(driving);
        }
        return Finish(await driving, plan, attended);
    }

    async Task Follow(Task driving, Bell bell, RunFeed feed, IRunView view)
    {
        _ = driving.ContinueWith(_ => bell.Ring(), TaskScheduler.Default);
        var seen = true;
        while (true)
        {
            var last = driving.IsCompleted;
            var (news, lines) = (News(feed), Lines());
            seen = seen && await CanBeSeen(() => view.Show(feed.State, news, lines));
            if (last)
                break;
            // Steps that take a millisecond each are shown together; the screen must not slow them down.
            await Task.Delay(Pause, session.Time);
            await bell.Wait(Task.Delay(Watch.Look, session.Time));
        }
        if (seen)
            await CanBeSeen(() =>
            {
                view.Dispose();
                return Task.CompletedTask;
            });
    }

    /// <summary>False when the screen is gone, as when a connection broke or the disk under standard error is full: the run goes on unseen.</summary>
    static async Task<bool> CanBeSeen(Func<Task> show)
    {
        try
        {
            await show();
            return true;
        }
        catch (StoreLostException e) when (e.MayComeBack)
        {
            return true; // the next look tries again
        }
        catch (Exception e) when (e is IOException or DbException or StoreLostException)
        {
            return false;
        }
    }

    /// <summary>Without the store nothing can be shown; the driver says what becomes of the run.</summary>
    IReadOnlyList<JournalEntry> News(RunFeed feed)
    {
        try
        {
            if (session.Engine.Store is var now && now.StorePath != feed.Place)
                feed.Follow(now);
            return feed.More();
        }
        catch (Exception e) when (e is DbException or StoreLostException or IOException)
        {
            return [];
        }
    }

    List<LogLine> Lines()
    {
        var lines = new List<LogLine>();
        while (_log.TryDequeue(out var line))
            lines.Add(line);
        return lines;
    }

    int Finish(DriveResult result, Plan plan, bool attended)
    {
        var report = Reporting.Of(session.Engine, result.State, plan, usually: false);
        try
        {
            session.Terminal.Give(EndPage.Json(report, result), () => EndPage.Text(report, result, attended));
        }
        catch (IOException)
        {
            // Nobody reads it; the exit code still tells what became of the run.
        }
        return result.ExitCode;
    }
}

/// <summary>Shows a run as it goes.</summary>
interface IRunView : IDisposable
{
    Task Show(RunState state, IReadOnlyList<JournalEntry> news, IReadOnlyList<LogLine> lines);
}

/// <summary>Wakes the screen when something has changed.</summary>
sealed class Bell
{
    TaskCompletionSource _rung = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Ring() => _rung.TrySetResult();

    public async Task Wait(Task atLatest)
    {
        await Task.WhenAny(_rung.Task, atLatest);
        // A ring in between is not lost: whoever waited looks at everything that is new.
        _rung = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
