using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Schedules;

/// <summary>Whether schedules keep what their runbooks promise.</summary>
sealed class ScheduleChecks(ProblemList problems, DateTimeOffset now)
{
    public void Check(IReadOnlyList<Schedule> schedules)
    {
        foreach (var schedule in schedules.Where(s => s.Enabled))
        {
            CheckRpo(schedule);
            CheckFreshness(schedule);
            CheckJitter(schedule);
            if (schedule.Mode == ScheduledMode.Drill && schedule.Environment.Protected)
                problems.Error("drill", schedule.Position, $"'{schedule.Name}' is a drill in the protected environment '{schedule.Environment.Name}'.", "Drills are refused there; name another environment.");
        }
    }

    /// <summary>Data that is backed up less often than it may be lost is lost for longer.</summary>
    void CheckRpo(Schedule schedule)
    {
        if (schedule.Runbook.Objectives.Rpo is not { } rpo || !MakesBackups(schedule.Runbook))
            return;
        var pause = schedule.Rhythm.LongestPause(now) + schedule.Jitter;
        if (pause > rpo)
            problems.Warning("rpo", schedule.Position, $"'{schedule.Name}' comes every {new Duration(pause)} at the longest, and its runbook may lose {new Duration(rpo)} of data.",
                schedule.Rhythm.Dst != DstPolicy.Shift && pause - rpo <= TimeSpan.FromHours(1) ? "When clocks are set back the rhythm has a longer pause: `dst: shift` keeps it." : "Let it come more often, or change the objective.");
    }

    void CheckFreshness(Schedule schedule)
    {
        var pause = schedule.Rhythm.LongestPause(now) + schedule.Jitter;
        if (schedule.FreshFor < pause)
            problems.Warning("fresh-for", schedule.Position, $"'{schedule.Name}' would raise an alarm although everything is right: it comes every {new Duration(pause)} at the longest, and should be fresh for {new Duration(schedule.FreshFor)}.",
                "Give `freshFor` a little more than the longest pause and the time that a run takes.");
    }

    /// <summary>Two starts of one schedule would change places.</summary>
    void CheckJitter(Schedule schedule)
    {
        if (schedule.Jitter > TimeSpan.Zero && schedule.Rhythm.ShortestPause(now) is { } pause && schedule.Jitter >= pause)
            problems.Error("jitter", schedule.Position, $"'{schedule.Name}' comes every {new Duration(pause)} at the shortest, and may start {new Duration(schedule.Jitter)} later.", "Give `jitter` less than the shortest pause.");
    }

    static bool MakesBackups(Runbook runbook) => Items.All(runbook.Steps).OfType<StepItem>().Any(s => s.Uses is "backup.upload" or "backup.copy");
}
