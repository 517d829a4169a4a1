using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Schedules;
using Helix.Server.Live;

namespace Helix.Server.Schedules;

/// <summary>Starts what <c>schedules.yaml</c> plans: each planned time once, whatever happens to the server meanwhile.</summary>
sealed class Timetable(Site site) : IAsyncDisposable
{
    static readonly TimeSpan Look = TimeSpan.FromSeconds(2);

    /// <summary>A ring that comes later than this is one that was missed.</summary>
    static readonly TimeSpan Late = TimeSpan.FromMinutes(1);

    readonly SemaphoreSlim _one = new(1);
    readonly CancellationTokenSource _stop = new();
    readonly Complaint _fault = new(site.Say);
    readonly PlannedStarts _starts = new(site);
    readonly Freshness _freshness = new(site);
    readonly System.Collections.Concurrent.ConcurrentDictionary<string, DateTimeOffset> _next = [];
    readonly System.Collections.Concurrent.ConcurrentDictionary<string, string> _faults = [];
    Alarms? _alarms;
    DateTime _readAt;
    Task _loop = Task.CompletedTask;

    string Path => System.IO.Path.Combine(site.Library.Folder, "schedules.yaml");
    bool HasFile => File.Exists(Path);

    /// <summary>The schedules as they stand in the file now; no value when it has errors or is not there.</summary>
    public ReadResult<ScheduleBook>? Book { get; private set; }
    public IReadOnlyList<Schedule> Schedules => Book?.Value?.Schedules ?? [];

    public Schedule? Find(string name) => Schedules.FirstOrDefault(s => s.Name == name);

    public async Task Start()
    {
        _alarms = await Alarms.Start(site.Time, Ring);
        _loop = Task.Run(Loop);
    }

    /// <summary>Reads the file again when it has changed, lets queued runs start, and looks whether results are fresh.</summary>
    async Task Loop()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if ((HasFile ? File.GetLastWriteTimeUtc(Path) : default) != _readAt)
                    await Reload();
                // A clock that was set forward, or a machine that slept: alarms ring late then.
                foreach (var name in _next.Where(n => n.Value <= site.Time.GetUtcNow()).Select(n => n.Key).ToList())
                    await Guarded(name, () => Ring(name));
                foreach (var waits in site.Accounts.Queued())
                    await Guarded(waits.Schedule, () => Alone(() => Try(waits.Schedule, waits.Planned)));
                await _freshness.Look(Schedules, _stop.Token);
                _fault.IsOver();
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                _fault.Of($"Schedules: {e.Message}");
            }
            await Task.WhenAny(Task.Delay(Look, site.Time, _stop.Token));
        }
    }

    /// <summary>Reads the file now.</summary>
    internal Task Again() => Reload();

    async Task Reload()
    {
        var before = Schedules.Select(s => s.Name).ToList();
        var at = HasFile ? File.GetLastWriteTimeUtc(Path) : default;
        Book = HasFile ? new ScheduleReader(site.Catalog, site.Time).ReadFile(Path) : null;
        if (Book is { HasErrors: true } bad)
        {
            site.ScheduleNews.Unusable(at, bad.Problems.Count);
            site.Say($"{Path} cannot be used, so nothing starts by itself:\n{string.Join("\n", bad.Problems)}");
        }
        foreach (var gone in before.Except(Schedules.Select(s => s.Name)))
        {
            _next.TryRemove(gone, out _);
            await _alarms!.Unset(gone);
        }
        foreach (var schedule in Schedules)
            await Guarded(schedule.Name, () => Ring(schedule.Name));
        // Only now: what the store was away for is done again.
        _readAt = at;
    }

    /// <summary>A schedule that meets a mistake keeps no other from its time; it is tried again, and said once.</summary>
    async Task Guarded(string name, Func<Task> action)
    {
        try
        {
            await action();
            _faults.TryRemove(name, out _);
        }
        catch (Exception e) when (e is not (StoreLostException or OperationCanceledException))
        {
            if (_faults.GetValueOrDefault(name) != e.Message)
                site.Say($"The schedule {name} could not be looked at: {_faults[name] = e.Message}");
        }
    }

    /// <summary>Everything that became due since the last time, and the alarm for the next.</summary>
    Task Ring(string name) => Alone(async () =>
    {
        _next.TryRemove(name, out _);
        try
        {
            await RingOnce(name);
        }
        catch
        {
            // Without it nobody would ever look at this schedule again.
            _next[name] = site.Time.GetUtcNow();
            throw;
        }
    });

    async Task RingOnce(string name)
    {
        if (Find(name) is not { Enabled: true } schedule)
            return;
        var now = site.Time.GetUtcNow();
        var last = site.Accounts.LastPlanned(name) ?? Watch(name, now);
        var due = schedule.Rhythm.After(last).TakeWhile(t => schedule.StartOf(t) <= now).ToList();
        if (due.Count > 0)
            await Due(schedule, due, now);
        if (!_stop.IsCancellationRequested && schedule.StartsAfter(now).Select(t => (DateTimeOffset?)t.At).FirstOrDefault() is { } next)
        {
            _next[name] = next;
            await _alarms!.Set(name, next);
        }
    }

    DateTimeOffset Watch(string name, DateTimeOffset now)
    {
        site.Accounts.Planned(name, now, "watched", null, "from here on");
        return now;
    }

    async Task Due(Schedule schedule, List<DateTimeOffset> due, DateTimeOffset now)
    {
        var latest = due[^1];
        if (due.Count > 1)
            Missed(schedule, due[^2], $"{due.Count - 1} times at which no server was there");
        if (site.Accounts.IsPaused(schedule.Name))
            site.Accounts.Planned(schedule.Name, latest, "paused", null, "");
        else if (now - schedule.StartOf(latest) > Late && schedule.Missed == MissedPolicy.Skip)
            Missed(schedule, latest, "no server was there");
        else
            await Try(schedule.Name, latest);
    }

    void Missed(Schedule schedule, DateTimeOffset planned, string why)
    {
        site.Accounts.Planned(schedule.Name, planned, "missed", null, why);
        site.ScheduleNews.Missed(schedule, planned, why);
    }

    Task Try(string name, DateTimeOffset planned)
    {
        if (Book?.Value is { } book && Find(name) is { } schedule)
            _starts.Try(book, schedule, planned);
        else
            site.Accounts.Planned(name, planned, "dropped", null, "the schedule is no more");
        return Task.CompletedTask;
    }

    /// <summary>Since when it brought nothing good, when that is longer than the schedule allows.</summary>
    public Stale? Stale(Schedule schedule) => _freshness.Of(schedule);

    public (FreezeWindow Freeze, DateTimeOffset Until)? FreezeOf(Schedule schedule) => Book?.Value?.FreezeOf(schedule, site.Time.GetUtcNow());

    async Task Alone(Func<Task> action)
    {
        await _one.WaitAsync();
        try
        {
            await action();
        }
        finally
        {
            _one.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        if (_alarms is not null)
            await _alarms.DisposeAsync();
        _stop.Dispose();
        _one.Dispose();
    }
}
