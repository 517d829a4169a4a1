using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using Helix.Server.Live;

namespace Helix.Server.Messages;

/// <summary>Goes along the records of all runs of the store, whoever drives them, and hands on what is new in each.</summary>
/// <remarks>
/// What it was at is remembered as a moment, roughly: after a restart it goes over the last entries once more, and the outbox takes no message twice.
/// </remarks>
sealed class Follower(Site site) : IAsyncDisposable
{
    static readonly TimeSpan AtMost = TimeSpan.FromMilliseconds(250);
    static readonly TimeSpan Quiet = TimeSpan.FromSeconds(15);
    static readonly TimeSpan Remember = TimeSpan.FromSeconds(5);

    /// <summary>An entry gets its time before it is on disk, and clocks of two machines differ.</summary>
    static readonly TimeSpan Slack = TimeSpan.FromMinutes(2);
    const int MostHeld = 300;

    /// <summary>Until where the records were gone along, and from where on anything is told at all.</summary>
    const string Until = "followed", From = "followed-from";

    readonly Dictionary<string, RunState> _held = [];

    /// <summary>So long it is tried to tell of a run what cannot be told.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromHours(1);

    /// <summary>Runs of which nobody could be told lately.</summary>
    readonly Dictionary<string, Untold> _untold = [];

    readonly Complaint _fault = new(site.Say);

    /// <summary>The last entry that was seen, of runs that changed lately.</summary>
    Dictionary<string, long> _seen = [];
    readonly CancellationTokenSource _stop = new();
    (DateTimeOffset Since, long Count) _entries;
    DateTimeOffset _from;
    DateTimeOffset _until;
    DateTimeOffset _remembered;
    Task _loop = Task.CompletedTask;

    public void Start()
    {
        if (site.Accounts.Marked(From) is null)
            site.Accounts.Mark(From, site.Time.GetUtcNow());
        var from = site.Accounts.Marked(From)!.Value;
        _until = _remembered = site.Accounts.Marked(Until) is { } until && until > from ? until : from;
        _from = from > _until - Slack ? from : _until - Slack;
        _loop = Task.Run(Loop);
    }

    async Task Loop()
    {
        while (!_stop.IsCancellationRequested)
        {
            var version = site.Pulse.Version;
            TryLook();
            using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            await Task.WhenAny(site.Pulse.Next(version, over.Token), Task.Delay(Quiet, site.Time, over.Token));
            await over.CancelAsync();
            await Task.WhenAny(Task.Delay(AtMost, site.Time, _stop.Token));
        }
    }

    void TryLook()
    {
        try
        {
            Look();
            _fault.IsOver();
        }
        catch (StoreLostException)
        {
            // Who drives a run says it; here it goes on when the store is back.
        }
        catch (Exception e)
        {
            _fault.Of($"The records of the runs cannot be gone along: {e.Message}");
        }
    }

    void Look()
    {
        var lately = _until - Slack;
        var entries = (lately, site.Store.EntriesSince(lately));
        if (entries != _entries || _untold.Count > 0)
            FollowAll(lately);
        _entries = entries;
        site.News.Tick();
        if (_until - _remembered < Remember)
            return;
        _remembered = _until;
        // A server that comes after this one tells what is untold.
        site.Accounts.Mark(Until, _untold.Values.Select(u => u.Since).Append(_until).Min());
        Trim();
    }

    void FollowAll(DateTimeOffset lately)
    {
        var changes = site.Store.ChangedSince(lately);
        var from = lately > _from ? lately : _from;
        var seen = new Dictionary<string, long>();
        foreach (var change in changes)
            seen[change.Run] = _untold.TryGetValue(change.Run, out var untold) ? Follow(change.Run, untold.Last, untold.From)
                : _seen.GetValueOrDefault(change.Run) is var last && last < change.Events ? Follow(change.Run, last, from) : last;
        _seen = seen;
        foreach (var (run, untold) in _untold.Where(u => !seen.ContainsKey(u.Key)).ToList())
            if (_until - untold.Since > Patience)
                _untold.Remove(run);
            else
                Follow(run, untold.Last, untold.From);
        if (changes is [.., { LastAt: var newest }] && newest > _until)
            _until = newest;
    }

    /// <param name="last">The last entry that was seen; 0: those before <paramref name="from"/> were.</param>
    /// <returns>The last entry now.</returns>
    long Follow(string run, long last, DateTimeOffset from)
    {
        try
        {
            var state = _held.TryGetValue(run, out var held) ? held : _held[run] = new RunState(run);
            var fresh = new List<JournalEntry>();
            foreach (var entry in site.Store.Read(run, state.LastSequence))
            {
                state.Apply(entry);
                if (last > 0 ? entry.Sequence > last : entry.At >= from)
                    fresh.Add(entry);
            }
            if (fresh.Count > 0)
            {
                site.News.Tell(state, fresh);
                site.Telemetry.Take(state, fresh);
            }
            if (state.Ended is not null)
                _held.Remove(run);
            _untold.Remove(run);
            return state.LastSequence;
        }
        catch (StoreLostException)
        {
            _held.Remove(run); // what was read and not told is read again
            throw;
        }
        catch (Exception e)
        {
            // Written by another version, or a mistake, or a file that is missing for a moment: what was not told is tried again.
            _held.Remove(run);
            Untell(run, last, from, $"Nobody is told of run {run}: {e}");
            return last;
        }
    }

    void Untell(string run, long last, DateTimeOffset from, string words)
    {
        var before = _untold.GetValueOrDefault(run);
        if (before?.Words != words)
            site.Say(words);
        _untold[run] = new Untold(last, from, before?.Since ?? _until, words);
    }

    /// <param name="Last">The last entry that was told; 0: those before <paramref name="From"/>.</param>
    /// <param name="Since">Until where all else was told when this first failed.</param>
    /// <param name="Words">What was said of it.</param>
    sealed record Untold(long Last, DateTimeOffset From, DateTimeOffset Since, string Words);

    /// <summary>A state is folded anew when something happens to a run that was quiet for long.</summary>
    void Trim()
    {
        foreach (var quiet in _held.Values.OrderByDescending(s => s.LastAt).Skip(MostHeld).ToList())
            _held.Remove(quiet.Run);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        TryLook(); // what the drivers have written since, when they were stopped
        _stop.Dispose();
    }
}
