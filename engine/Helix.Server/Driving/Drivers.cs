using System.Collections.Concurrent;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;

namespace Helix.Server.Driving;

/// <summary>The runs that this server drives now. A run that only waits for people is let go; the <see cref="Keeper"/> goes on with it.</summary>
sealed class Drivers(Site site) : IDisposable
{
    /// <summary>In the record of a run that was interrupted because the server ended: the next server goes on with it.</summary>
    public const string ServerStops = "the server stops";

    readonly ConcurrentDictionary<string, Driven> _driven = [];
    readonly CancellationTokenSource _interrupt = new();
    readonly CancellationTokenSource _kill = new();

    public IReadOnlyCollection<string> Now => [.. _driven.Keys];
    public bool Drives(string run) => _driven.ContainsKey(run);
    public bool Stopping => _interrupt.IsCancellationRequested;

    /// <summary>How far a step is, as far as it is known here.</summary>
    public StepProgress? Progress(string run, string path) => _driven.TryGetValue(run, out var driven) ? driven.Progress.GetValueOrDefault(path) : null;

    /// <summary>The engine that drives the run in this process.</summary>
    public Engine? EngineOf(string run) => _driven.TryGetValue(run, out var driven) ? driven.Engine : null;

    /// <summary>Registers the run, with its locks and lease, and drives it in the background.</summary>
    /// <param name="confirmed">The name of a protected environment, as it was typed.</param>
    /// <exception cref="RunbookException">The plan cannot be run.</exception>
    /// <exception cref="HeldException">A target is held by another run.</exception>
    public string Start(Plan plan, StartRequest request, string? confirmed)
    {
        if (Stopping)
            throw new HeldException("The server is stopping and starts nothing new.", "Try again when it is back.");
        var engine = site.NewEngine();
        var run = engine.Start(plan, request with { ForAnyNode = true });
        if (confirmed is not null)
            engine.ConfirmDestruction(run, request.Operator, confirmed);
        if (site.Membership.Refuses(plan.Runbook.Needs) is { } why)
            engine.HandOn(run, why);
        else
            GoOn(run, engine);
        return run;
    }

    /// <summary>Goes on with a run that nobody drives. Nothing happens when this server drives it already, or leaves it to another node.</summary>
    /// <param name="stoodStill">The lease that was watched until it may be taken.</param>
    public void GoOn(string run, Engine? engine = null, LeaseState? stoodStill = null)
    {
        if (Stopping || (engine is null && site.Membership.Refuses(site.Store.Started(run).Needs) is not null))
            return;
        engine ??= site.NewEngine();
        var driven = new Driven(engine);
        if (_driven.GetOrAdd(run, driven) is var other && other != driven)
        {
            // It may be about to be let go, and not have seen what happened.
            other.Again = true;
            return;
        }
        driven.Work = Task.Run(() => Drive(run, driven, engine, stoodStill));
    }

    async Task Drive(string run, Driven driven, Engine engine, LeaseState? stoodStill)
    {
        try
        {
            var result = await engine.Drive(run, new DriveSettings
            {
                Interrupt = _interrupt.Token,
                InterruptReason = ServerStops,
                Kill = _kill.Token,
                LetGo = () => site.Membership.Drains ? Membership.Drained : null,
                StoodStill = stoodStill,
                Progressed = (path, done, total, unit) => driven.Progress[path] = new StepProgress(done, total, unit),
            });
            driven.Waits = result.End == DriveEnd.Waiting;
            site.Keeper.LetGo(run, result);
        }
        catch (HeldException) when (site.Store.IsShared)
        {
            // Another node was faster.
            site.Keeper.GaveUp(run, soon: true);
        }
        catch (Exception e) when (e is HeldException or RunbookException or StoreLostException)
        {
            // Somebody else drives it, or it cannot be driven now: it stands in the list of runs as it is.
            site.Keeper.GaveUp(run);
            site.Say($"Run {run} is not driven here: {e.Message}");
        }
        catch (Exception e)
        {
            site.Keeper.GaveUp(run);
            site.Say($"Run {run} stopped by a mistake in helix itself; it can be resumed.\n{e}");
        }
        finally
        {
            _driven.TryRemove(run, out _);
            site.Keeper.Look();
            if (driven is { Again: true, Waits: true })
                GoOn(run);
        }
    }

    /// <summary>Interrupts what runs, as a first Ctrl-C does, and waits; after the patience children are killed.</summary>
    public async Task Stop(TimeSpan patience)
    {
        await _interrupt.CancelAsync();
        var all = Task.WhenAll(_driven.Values.Select(d => d.Work));
        if (await Task.WhenAny(all, Task.Delay(patience, site.Time)) != all)
        {
            await _kill.CancelAsync();
            await Task.WhenAny(all, Task.Delay(patience, site.Time));
        }
    }

    public void Dispose()
    {
        _interrupt.Dispose();
        _kill.Dispose();
    }

    sealed class Driven(Engine engine)
    {
        public Engine Engine => engine;
        public ConcurrentDictionary<string, StepProgress> Progress { get; } = [];
        public Task Work { get; set; } = Task.CompletedTask;

        /// <summary>Somebody asked to go on while it was driven.</summary>
        public volatile bool Again;

        /// <summary>It ended because it waits for people.</summary>
        public bool Waits { get; set; }
    }
}
