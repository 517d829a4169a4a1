using System.Collections.Concurrent;
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

    public async Task<int> Run(string run, bool attended)
    {
        using var signals = new StopSignals(session.Terminal);
        using var store = session.OpenStore();
        var feed = new RunFeed(store, run);
        feed.More();
        var plan = session.Engine.PlanOf(feed.State);
        using var changed = new SemaphoreSlim(0);
        var driving = Task.Run(() => session.Engine.Drive(run, new DriveSettings
        {
            StayWhileWaiting = attended,
            Interrupt = signals.Interrupt,
            Kill = signals.Kill,
            Changed = _ => changed.Release(),
            Logged = _log.Enqueue,
            Progressed = (path, done, total, unit) => _progress[path] = new StepProgress(done, total, unit),
        }));
        IRunView view = attended ? new LiveView(session, store, plan, _progress) : new LineView(session.Terminal, plan, feed.State);
        await Follow(driving, changed, feed, view);
        return Finish(await driving, plan, attended);
    }

    async Task Follow(Task driving, SemaphoreSlim changed, RunFeed feed, IRunView view)
    {
        using var ended = new CancellationTokenSource();
        _ = driving.ContinueWith(_ => ended.Cancel(), TaskScheduler.Default);
        using (view)
            while (true)
            {
                var last = driving.IsCompleted;
                await view.Show(feed.State, feed.More(), Lines());
                if (last)
                    return;
                var tick = Task.Delay(Watch.Look, session.Time, ended.Token);
                await Task.WhenAny(changed.WaitAsync(ended.Token), tick);
                while (changed.Wait(0))
                {
                    // Many changes, one look.
                }
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
        var report = Reporting.Of(session.Engine, result.State, plan);
        session.Terminal.Give(EndPage.Json(report, result), () => EndPage.Text(report, result, attended));
        return result.ExitCode;
    }
}

/// <summary>Shows a run as it goes.</summary>
interface IRunView : IDisposable
{
    Task Show(RunState state, IReadOnlyList<JournalEntry> news, IReadOnlyList<LogLine> lines);
}
