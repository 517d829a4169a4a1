using System.Collections.Concurrent;
using Helix.Cli.Commands;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;

namespace Helix.Cli.Driving;

/// <summary>Shows a run that somebody else drives, until it ends.</summary>
sealed class Watch(Session session)
{
    /// <summary>How often the screen looks; drivers themselves look as often.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    public async Task<int> Follow(string run)
    {
        using var stop = new StopSignals(session.Terminal, "Looking no longer; the run is as it was.");
        var feed = new RunFeed(session.Store, run, []);
        var plan = session.Engine.PlanToShow(session.Engine.State(run));
        // From the beginning: who comes late sees what happened so far.
        using IRunView view = session.Terminal.Interactive
            ? new LiveView(session, session.Store, plan, new ConcurrentDictionary<string, StepProgress>(), asks: false)
            : new LineView(session.Terminal, plan, feed.State);
        while (!stop.Interrupt.IsCancellationRequested)
        {
            await view.Show(feed.State, feed.More(), []);
            if (feed.State.Ended is not null)
                return ExitCodes.Of(DriveEnd.Ended, feed.State);
            await Task.WhenAny(Task.Delay(Look, session.Time, stop.Interrupt));
        }
        return 0;
    }
}
