namespace Helix.Server.Accounts;

sealed partial class AccountStore
{
    /// <summary>What became of a planned time of a schedule. Its run stays, whatever a second server thinks that came too late.</summary>
    public void Planned(string schedule, DateTimeOffset planned, string result, string? run, string detail) => Run("""
        INSERT INTO planned (schedule, planned, at, result, run, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (schedule, planned) DO UPDATE SET at = excluded.at, result = excluded.result, run = excluded.run, detail = excluded.detail
        WHERE planned.run IS NULL
        """, schedule, Text(planned), Now, result, run, detail);

    public DateTimeOffset? LastPlanned(string schedule) =>
        Rows("SELECT planned FROM planned WHERE schedule = ?1 ORDER BY planned DESC LIMIT 1", r => Moment(r.GetString(0)), schedule) is [var last] ? last : null;

    public DateTimeOffset? WatchedSince(string schedule) =>
        Rows("SELECT planned FROM planned WHERE schedule = ?1 ORDER BY planned LIMIT 1", r => Moment(r.GetString(0)), schedule) is [var first] ? first : null;

    /// <summary>Planned times that wait for something to be over; of each schedule the last one, since one run catches up for all.</summary>
    public IReadOnlyList<PlannedTime> Queued() => Rows("""
        SELECT schedule, planned, at, result, run, detail FROM planned p WHERE result IN ('queued', 'held')
            AND planned = (SELECT max(planned) FROM planned WHERE schedule = p.schedule AND result IN ('queued', 'held'))
        """, ReadPlanned);

    /// <summary>The run of a planned time stands for those before it that waited too.</summary>
    public void CaughtUp(string schedule, DateTimeOffset planned, string run) => Run(
        "UPDATE planned SET result = 'skipped', detail = ?3 WHERE schedule = ?1 AND planned < ?2 AND result IN ('queued', 'held')", schedule, Text(planned), $"run {run} stands for it");

    /// <summary>Nothing to do; only the last such time is kept.</summary>
    public void Unchanged(string schedule, DateTimeOffset planned)
    {
        Planned(schedule, planned, "unchanged", null, "no file has changed");
        Run("DELETE FROM planned WHERE schedule = ?1 AND planned < ?2 AND result = 'unchanged'", schedule, Text(planned));
    }

    public PlannedTime? PlannedAt(string schedule, DateTimeOffset planned) =>
        Rows($"{PlannedTimes} WHERE schedule = ?1 AND planned = ?2", ReadPlanned, schedule, Text(planned)) is [var found] ? found : null;

    public PlannedTime? LastOf(string schedule, string result) =>
        Rows($"{PlannedTimes} WHERE schedule = ?1 AND result = ?2 ORDER BY planned DESC LIMIT 1", ReadPlanned, schedule, result) is [var last] ? last : null;

    /// <summary>Planned times that got their run, newest first.</summary>
    public IReadOnlyList<PlannedTime> StartedOf(string schedule, int limit) =>
        Rows($"{PlannedTimes} WHERE schedule = ?1 AND result = 'started' ORDER BY planned DESC LIMIT ?2", ReadPlanned, schedule, limit);

    public IReadOnlyList<PlannedTime> PlannedOf(string schedule, int limit) => Rows(
        $"{PlannedTimes} WHERE schedule = ?1 ORDER BY planned DESC LIMIT ?2", ReadPlanned, schedule, limit);

    public bool IsPaused(string schedule) => Rows("SELECT 1 FROM paused WHERE schedule = ?1", r => r.GetInt64(0), schedule).Count > 0;

    public void SetPaused(string schedule, bool paused) => Run(
        paused ? "INSERT INTO paused (schedule) VALUES (?1) ON CONFLICT DO NOTHING" : "DELETE FROM paused WHERE schedule = ?1", schedule);

    const string PlannedTimes = "SELECT schedule, planned, at, result, run, detail FROM planned";

    static string Text(DateTimeOffset moment) => moment.ToUniversalTime().ToString("O");

    static PlannedTime ReadPlanned(System.Data.Common.DbDataReader r) =>
        new(r.GetString(0), Moment(r.GetString(1)), Moment(r.GetString(2)), r.GetString(3), r.IsDBNull(4) ? null : r.GetString(4), r.GetString(5));
}

/// <param name="Result">watched, started, queued, held, skipped, unchanged, missed, paused, failed or dropped.</param>
public sealed record PlannedTime(string Schedule, DateTimeOffset Planned, DateTimeOffset At, string Result, string? Run, string Detail);
