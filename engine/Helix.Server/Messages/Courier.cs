using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Server.Live;
using Helix.Steps.Messages;

namespace Helix.Server.Messages;

/// <summary>Delivers what is in the outbox, each channel by itself; nothing else waits for it.</summary>
sealed class Courier(Site site) : IAsyncDisposable
{
    static readonly TimeSpan First = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);
    static readonly TimeSpan Idle = TimeSpan.FromSeconds(30);
    static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    /// <summary>A receiver that is away comes back; one that refuses must be mended by people.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromHours(24);
    const int Refusals = 5;

    /// <summary>Longer than one delivery takes: whoever dies in it leaves the message to be taken again.</summary>
    static readonly TimeSpan Claimed = TimeSpan.FromMinutes(2);
    static readonly TimeSpan Kept = TimeSpan.FromDays(90);

    /// <summary>So many of one channel.</summary>
    const int AtOnce = 200;

    readonly CancellationTokenSource _stop = new();
    readonly Complaint _fault = new(site.Say);
    readonly ConcurrentDictionary<(string Environment, string Channel), Task> _busy = [];
    Task _loop = Task.CompletedTask;

    public void Start()
    {
        site.Accounts.ForgetLetters(Kept);
        _loop = Task.Run(Loop);
    }

    async Task Loop()
    {
        while (!_stop.IsCancellationRequested)
        {
            var wait = Soon;
            try
            {
                foreach (var channel in site.Accounts.DueLetters(AtOnce).GroupBy(l => (l.Environment, l.Channel)).Where(c => !_busy.ContainsKey(c.Key)))
                    Begin(channel.Key, [.. channel]);
                wait = site.Accounts.NextDue() is { } due ? due - site.Time.GetUtcNow() : Idle;
                _fault.IsOver();
            }
            catch (StoreLostException)
            {
                // What is to be told is kept there; it goes on when the store is back.
            }
            catch (Exception e)
            {
                _fault.Of($"Messages cannot be sent: {e.Message}");
            }
            using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            // What is due in a channel that is busy now is looked at again soon.
            await Task.WhenAny(site.Outbox.Posted(over.Token), Task.Delay(wait < Soon ? Soon : wait > Idle ? Idle : wait, site.Time, over.Token));
            await over.CancelAsync();
        }
    }

    void Begin((string Environment, string Channel) channel, List<Letter> letters)
    {
        // Its place is taken before it begins: it may end at once, and what it has not found it could not take away.
        var delivery = new Task<Task>(() => Deliver(channel, letters));
        _busy[channel] = delivery.Unwrap();
        delivery.Start(TaskScheduler.Default);
    }

    async Task Deliver((string Environment, string Channel) channel, List<Letter> letters)
    {
        try
        {
            foreach (var letter in letters)
                if (!_stop.IsCancellationRequested && site.Accounts.Claim(letter, Claimed) && !await Send(letter))
                    break; // what this one could not reach, the next will not
        }
        catch (StoreLostException)
        {
            // The claim ends, and the message is taken again.
        }
        finally
        {
            _busy.TryRemove(channel, out _);
        }
    }

    /// <summary>False when the channel takes nothing now.</summary>
    async Task<bool> Send(Letter letter)
    {
        try
        {
            var environment = site.Outbox.Environment(letter.Environment, () => Pinned(letter.Run))
                ?? throw new RunbookException($"There is no sound environment '{letter.Environment}' here any more.");
            var message = JsonSerializer.Deserialize<Message>(letter.Message, StepJson.Options)!;
            await environment.Targets.Get<MessageTarget>(letter.Channel).Send(message, site.NewEngine().Reading(environment, "helix", _stop.Token));
            site.Accounts.Sent(letter);
            return true;
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            return false; // the next server takes it when the claim is over
        }
        catch (StepFailedException e)
        {
            return Failed(letter, e.Message, e.Failure == FailureClass.Transient);
        }
        catch (RunbookException e)
        {
            return Failed(letter, e.Message, transient: false);
        }
        catch (Exception e)
        {
            site.Say($"A message to {letter.Channel} of {letter.Environment} met a mistake in helix itself.\n{e}");
            return Failed(letter, "a mistake in helix itself", transient: false);
        }
    }

    bool Failed(Letter letter, string why, bool transient)
    {
        if (transient ? site.Time.GetUtcNow() - letter.Created >= Patience : letter.Tries + 1 >= Refusals)
            GiveUp(letter, why);
        else
            site.Accounts.Postpone(letter, Wait(letter.Tries), why);
        return !transient;
    }

    static TimeSpan Wait(int tries) => First * Math.Pow(2, Math.Min(tries, 16)) is var wait && wait < Longest ? wait : Longest;

    /// <summary>Seen where people look: at the server's output, on the pages, in the record of the run, in the figures.</summary>
    void GiveUp(Letter letter, string why)
    {
        site.Accounts.GiveUp(letter, why);
        var words = string.Create(CultureInfo.InvariantCulture, $"The message '{letter.Occasion}' could not be delivered to {letter.Channel}, after {letter.Tries + 1} tries: {why}");
        site.Say(words);
        site.Accounts.Audit(null, null, $"message to {letter.Channel} of {letter.Environment}", "given up", why);
        if (letter.Run is { } run && site.Store.Has(run))
            site.Store.Append(run, Ourselves, _ => [new NoteAdded(words)]);
    }

    static readonly Person Ourselves = new("helix", IdentityStrength.Os, "server");

    Helix.Runbooks.Model.Environment? Pinned(string? run) => run is not null && site.Store.Has(run) ? site.NewEngine().PlanOf(RunState.Of(run, site.Store.Read(run))).Environment : null;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        await Task.WhenAll(_busy.Values);
        _stop.Dispose();
    }
}
