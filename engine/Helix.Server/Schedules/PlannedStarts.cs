using Helix.Runbooks.Journal;
using Helix.Runbooks.Model.Schedules;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Mode = Helix.Runbooks.Plans.Mode;

namespace Helix.Server.Schedules;

/// <summary>From a planned time that is due to its run, or to why there is none now.</summary>
sealed class PlannedStarts(Site site)
{
    const string Files = "files ";

    public void Try(ScheduleBook book, Schedule schedule, DateTimeOffset planned)
    {
        var run = PlannedRun.Id(schedule.Name, planned);
        if (site.Store.Has(run))
            Started(schedule, planned, run, site.Accounts.PlannedAt(schedule.Name, planned)?.Detail ?? "");
        else if (book.FreezeOf(schedule, site.Time.GetUtcNow()) is { } freeze)
            Frozen(schedule, planned, freeze.Freeze, freeze.Until);
        else if (site.Store.Runs(int.MaxValue, schedule.Runbook.Name, openOnly: true).FirstOrDefault(r => r.Operator == PlannedRun.Operator(schedule.Name) && r.Run != run) is { } before)
            InTheWay(schedule, planned, $"run {before.Run} is not over");
        else if (schedule.OnChange.Count == 0)
            Start(book, schedule, planned, run, "");
        else if (WatchedFiles.Digest(schedule.OnChange) is var digest && digest != LastDigest(schedule))
            Start(book, schedule, planned, run, Files + digest);
        else
            site.Accounts.Unchanged(schedule.Name, planned);
    }

    /// <summary>Of the files for which a run has succeeded last: what a run that failed should have kept is still to be kept.</summary>
    string? LastDigest(Schedule schedule)
    {
        foreach (var past in site.Accounts.StartedOf(schedule.Name, 50))
            if (past is { Run: { } run, Detail: var detail } && detail.StartsWith(Files, StringComparison.Ordinal) && site.Store.Has(run)
                && RunState.Of(run, site.Store.Read(run)).Status == RunStatus.Succeeded)
                return detail[Files.Length..];
        return null;
    }

    void Start(ScheduleBook book, Schedule schedule, DateTimeOffset planned, string run, string detail)
    {
        try
        {
            // What a run pins are the files of now, not those of when the schedules were read.
            var fresh = new ScheduleReader(site.Catalog, site.Time).ReadFile(book.Path).Value?.Schedules.FirstOrDefault(s => s.Name == schedule.Name)
                ?? throw new RunbookException($"{book.Path} or a file that it names has errors.");
            var plan = new Planner(site.Catalog).Plan(fresh.Runbook, fresh.Environment, fresh.Inputs, fresh.Mode == ScheduledMode.Drill ? Mode.Drill : Mode.Live);
            site.Drivers.Start(plan, new StartRequest
            {
                Run = run,
                Operator = new Person(PlannedRun.Operator(schedule.Name), IdentityStrength.Os, Ways.Schedule),
                Trigger = Ways.Schedule,
                Attended = false,
            }, plan.Environment.Protected && plan.Destroys && plan.Mode == Mode.Live ? plan.Environment.Name : null);
            Started(schedule, planned, run, detail);
        }
        catch (HeldException e)
        {
            InTheWay(schedule, planned, e.Message);
        }
        catch (RunbookException) when (site.Store.Has(run))
        {
            // Another server was faster.
            Started(schedule, planned, run, detail);
        }
        catch (RunbookException e)
        {
            site.Accounts.Planned(schedule.Name, planned, "failed", null, e.Message);
            site.ScheduleNews.Missed(schedule, planned, e.Message);
            site.Say($"The schedule {schedule.Name} could not start its run: {e.Message}");
        }
    }

    void Started(Schedule schedule, DateTimeOffset planned, string run, string detail)
    {
        // Those before it first: a server that dies in between would else leave one that waits, and start a run for it.
        site.Accounts.CaughtUp(schedule.Name, planned, run);
        site.Accounts.Planned(schedule.Name, planned, "started", run, detail);
    }

    void Frozen(Schedule schedule, DateTimeOffset planned, FreezeWindow freeze, DateTimeOffset until)
    {
        var (result, detail) = (freeze.Then == FreezePolicy.Hold ? "held" : "skipped", $"freeze {freeze.Name} until {Words.Moment(until)}: {freeze.Reason}");
        if (site.Accounts.PlannedAt(schedule.Name, planned) is not { } known || known.Result != result || known.Detail != detail)
            site.Accounts.Planned(schedule.Name, planned, result, null, detail);
    }

    void InTheWay(Schedule schedule, DateTimeOffset planned, string why)
    {
        if (site.Accounts.PlannedAt(schedule.Name, planned) is not { Result: "queued" } known || known.Detail != why)
            site.Accounts.Planned(schedule.Name, planned, schedule.Overlap == OverlapPolicy.Queue ? "queued" : "skipped", null, why);
    }
}
