using System.Security.Cryptography;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

public sealed partial class Engine
{
    /// <summary>Drives a run until it ends, waits, or is interrupted. Takes the lease first.</summary>
    /// <exception cref="HeldException">Another driver is alive, or a target is held.</exception>
    public async Task<DriveResult> Drive(string run, DriveSettings settings)
    {
        var state = State(run);
        if (state.Ended is not null)
            return new DriveResult(DriveEnd.Ended, state);
        RefuseMoved(state);
        RefuseElsewhere(state.Started.Runbook, state.Started.Needs);
        var plan = PlanOf(state);
        // Before the lease: who cannot have the folder leaves the record alone.
        RunFolders.Of(state.Started).Create();
        TakeLocks(run, plan);
        if (await TakeLeaseUnlessInterrupted(run, settings) is not { } lease)
            return new DriveResult(DriveEnd.Interrupted, state);
        using var heart = new Heartbeat(Store, lease, Time, Settings);
        using var kill = CancellationTokenSource.CreateLinkedTokenSource(settings.Kill, heart.Lost);
        var masker = new Masker { Plain = PlainText.Of(plan, state.Started) };
        var record = RunRecord.Of(Store, lease, masker, heart.Lost);
        try
        {
            plan = Latest(record, plan);
            var drive = Compose(record, plan, masker, settings with { Kill = kill.Token });
            using var renewals = new Renewals(plan.Environment.Targets.All.Values.OfType<IRenewsCredentials>(), drive.Around.Reading, Time);
            await using var desk = drive.Desk;
            _desks[run] = desk;
            var end = await DriveOn(drive);
            return end == DriveEnd.StoreLost ? await GoOnElsewhere(run, record, plan, settings) : new DriveResult(end, record.Read(s => s)) { Why = end == DriveEnd.LeaseLost ? record.Broken?.Message : null };
        }
        catch (LeaseLostException e)
        {
            return new DriveResult(DriveEnd.LeaseLost, record.Read(s => s)) { Why = e.Message };
        }
        catch (StoreLostException)
        {
            return await GoOnElsewhere(run, record, plan, settings);
        }
        catch (OperationCanceledException) when (settings.Interrupt.IsCancellationRequested && record.Broken is null)
        {
            // Before the first step: from then on the runner ends what runs, and says so itself.
            record.Append(new RunSuspended(settings.InterruptReason));
            return new DriveResult(DriveEnd.Interrupted, record.Read(s => s));
        }
        catch (Exception e) when (e is RunbookException or HeldException && record.Broken is null && record.Read(s => s.Ended is null))
        {
            record.Append(new RunSuspended(e.Message));
            throw;
        }
        finally
        {
            _desks.TryRemove(run, out _);
            if (record.Broken is null)
                Release(lease);
        }
    }

    /// <summary>While the lease was waited for, its holder may have gone back with other inputs, or somebody may have taken another text.</summary>
    Plan Latest(RunRecord record, Plan planned)
    {
        var plan = PlanOf(record.Read(s => s));
        if (!ReferenceEquals(plan, planned))
            TakeLocks(record.Lease.Run, plan);
        return plan;
    }

    void Release(Lease lease)
    {
        try
        {
            Store.Release(lease);
        }
        catch (StoreLostException)
        {
            // All that is to be recorded is; the lease ends with this process.
        }
    }

    async Task<DriveEnd> DriveOn(Drive drive)
    {
        if (drive.Record.Read(s => s.Ended) is not null)
        {
            // It ended while we waited for its lease, and its locks were released before we took them.
            Store.ReleaseLocks(drive.Record.Lease.Run);
            return DriveEnd.Ended;
        }
        if (drive.Record.Read(s => s.Preflight.Count) == 0 && !await PassesPreflight(drive))
            return DriveEnd.Ended;
        new LostFiles(drive).LookAfter();
        return await new Runner(drive, new Sequencer(drive.Plan.Runbook, Catalog), Settings).Loop();
    }

    /// <summary>False when the run ended before it began.</summary>
    static async Task<bool> PassesPreflight(Drive drive)
    {
        var findings = await drive.World.Preflight(drive.Around, drive.Folders.Root, drive.Settings.Interrupt);
        var faults = findings.Where(f => f.Kind == FindingKind.Fault).Select(f => $"{f.Subject}: {f.What}").ToList();
        var resolved = new List<RunEvent>();
        try
        {
            if (faults.Count == 0)
                resolved = await ResolveBackups(drive);
        }
        catch (StepFailedException e) when (!drive.Settings.Interrupt.IsCancellationRequested)
        {
            faults.Add(e.Message);
        }
        catch (StepFailedException e)
        {
            throw new OperationCanceledException(e.Message, e);
        }
        // At once: a resume that finds the one does not look for the other again.
        drive.Record.Append([new PreflightDone(findings), .. resolved,
            .. faults.Count == 0 ? Enumerable.Empty<RunEvent>() : [new RunEnded(Outcome.Failed, "the pre-flight failed, nothing was done: " + string.Join("; ", faults), [])]]);
        return faults.Count == 0;
    }

    /// <summary>Inputs of type backup: from a selector to a key, once.</summary>
    static async Task<List<RunEvent>> ResolveBackups(Drive drive)
    {
        var resolved = new List<RunEvent>();
        foreach (var (name, input) in drive.Plan.Runbook.Inputs.Where(i => i.Value is { Type: InputType.Backup, Target: not null }))
            if (drive.Record.Read(s => s.Inputs[name]?.ToString()) is { } selector
                && drive.Plan.Environment.Targets.All.GetValueOrDefault(input.Target!) is IHoldsBackups shelf)
                resolved.Add(new InputResolved(name, await drive.World.Choose(shelf, input.Prefix ?? "", selector, drive.Around.Reading(drive.Settings.Interrupt))));
        return resolved;
    }

    /// <summary>Null: the wait for it was interrupted, and nothing was done.</summary>
    async Task<Lease?> TakeLeaseUnlessInterrupted(string run, DriveSettings settings)
    {
        try
        {
            return await TakeLease(run, settings);
        }
        catch (OperationCanceledException) when (settings.Interrupt.IsCancellationRequested)
        {
            return null;
        }
    }

    async Task<Lease> TakeLease(string run, DriveSettings settings)
    {
        if (_taken.Remove(run, out var mine))
            return mine;
        var (taken, held) = Store.TryTake(run, DriverIdentity.Current, "resume");
        if (taken is not null)
            return taken;
        if (IsSurelyGone(held.Driver))
            return TakeFrom(run, "its driver is gone", held);
        if (settings.StoodStill is { } still && (still.Epoch, still.Beat) == (held.Epoch, held.Beat))
            return await TakeFromLiving(run, "its driver stood still", held);
        if (_forced.Remove(run))
            return await TakeFromLiving(run, "takeover", Store.ReadLease(run)!);
        var watch = new LeaseWatch(Time, Settings.LeaseExpires);
        while (Store.ReadLease(run) is { } seen)
        {
            if (seen.Released && Store.TryTake(run, DriverIdentity.Current, "resume").Taken is { } free)
                return free;
            if (watch.IsExpired(seen))
                return await TakeFromLiving(run, "its driver stood still", seen);
            if (seen.Beat != held.Beat)
                throw new HeldException($"Run {run} is driven by process {seen.Driver.Pid} of {seen.Driver.Account} on {seen.Driver.Host}.", $"`helix handover {run}` asks it to give the run away; `helix takeover {run} --reason …` takes it.");
            await Task.Delay(Settings.Look, Time, settings.Interrupt);
        }
        throw new InvalidOperationException($"Run {run} has no lease.");
    }

    /// <summary>Where several machines share a store, one of another boot may be another machine of the same name: there only stillness tells.</summary>
    bool IsSurelyGone(Driver driver) => DriverIdentity.IsGone(driver) && (!Store.IsShared || driver.BootId == DriverIdentity.Current.BootId);

    /// <summary>A driver without its lease records nothing more; what it has started on this host is ended, so that nothing happens beside us.</summary>
    async Task<Lease> TakeFromLiving(string run, string reason, LeaseState seen)
    {
        var lease = TakeFrom(run, reason, seen);
        var state = State(run);
        var pids = RunFolders.Of(state.Started).Pids;
        foreach (var path in state.Steps.Values.Where(s => s.Status == StepStatus.InDoubt).Select(s => s.Path))
            foreach (var child in LeftOverProcess.Of(pids, path))
                await child.KillGroup(Grace, Time, CancellationToken.None);
        return lease;
    }

    Lease TakeFrom(string run, string reason, LeaseState seen)
    {
        try
        {
            return Store.Take(run, DriverIdentity.Current, reason, seen);
        }
        catch (LeaseLostException)
        {
            throw new HeldException($"Run {run} was just taken by another driver.", $"`helix show {run}` tells which.");
        }
    }

    static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    Drive Compose(RunRecord record, Plan plan, Masker masker, DriveSettings settings)
    {
        var run = record.Lease.Run;
        var started = record.Read(s => s.Started);
        var folders = RunFolders.Of(started);
        var index = new PlanIndex(plan.Runbook);
        return new Drive
        {
            Record = record,
            Index = index,
            Catalog = Catalog,
            Settings = settings,
            Folders = folders,
            Around = new Surroundings
            {
                Plan = plan,
                Time = Time,
                Masker = masker,
                SecretsFolder = Path.GetDirectoryName(started.EnvironmentPath)!,
                Facts = new RunFacts
                {
                    Id = run,
                    Mode = started.Mode,
                    Runbook = started.Runbook,
                    Environment = started.Environment,
                    Operator = started.Operator.Account,
                    StartedAt = record.Read(s => s.StartedAt),
                    Work = started.Work,
                    Safe = started.Safe,
                    Comms = started.Comms,
                    BaseDirectory = started.BaseDirectory,
                    Pinned = LayOut(plan, folders),
                },
            },
            Logs = new LogSink(record, Time, settings.Logged),
            Scope = new ScopeBuilder(plan, index, Catalog),
            Effects = new EffectResolver(Catalog, plan.Environment),
            World = World,
        };
    }

    /// <summary>Copies of the pinned files as they were, for the steps that read them.</summary>
    static Dictionary<string, string> LayOut(Plan plan, RunFolders folders)
    {
        var copies = new Dictionary<string, string>();
        foreach (var (path, file) in plan.Pinned)
        {
            var copy = Path.Combine(folders.Pinned, file.Sha256[..12], Path.GetFileName(path));
            try
            {
                if (!IsWhole(copy, file.Sha256))
                    LayOut(path, file.Bytes, copy);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new RunbookException($"The copy of {path} that the run keeps cannot be written: {e.Message}", "Make room, or let this account write there; then resume.");
            }
            copies[path] = copy;
        }
        return copies;
    }

    /// <summary>A full disk or a crash may have left half of it.</summary>
    static bool IsWhole(string copy, string sha256) => File.Exists(copy) && Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(copy))) == sha256;

    static void LayOut(string path, byte[] bytes, string copy)
    {
        var part = copy + ".part";
        Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
        File.WriteAllBytes(part, bytes);
        if (File.Exists(path))
            File.SetUnixFileMode(part, File.GetUnixFileMode(path));
        File.Move(part, copy, overwrite: true);
    }
}
