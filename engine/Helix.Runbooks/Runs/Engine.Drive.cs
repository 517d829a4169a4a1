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
        var lease = await TakeLease(run, settings);
        using var heart = new Heartbeat(Store, lease, Time, Settings);
        using var kill = CancellationTokenSource.CreateLinkedTokenSource(settings.Kill, heart.Lost);
        var masker = new Masker();
        var record = RunRecord.Of(Store, lease, masker, heart.Lost);
        var drive = Compose(record, plan, masker, settings with { Kill = kill.Token }, state.Driver);
        using var renewals = new Renewals(plan.Environment.Targets.All.Values.OfType<IRenewsCredentials>(), drive.Around.Reading, Time);
        await using var desk = drive.Desk;
        _desks[run] = desk;
        try
        {
            var end = await DriveOn(drive, state);
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
        finally
        {
            _desks.TryRemove(run, out _);
            if (record.Broken is null)
                Release(lease);
        }
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

    async Task<DriveEnd> DriveOn(Drive drive, RunState before)
    {
        if (drive.Record.Read(s => s.Ended) is not null)
        {
            // It ended while we waited for its lease, and its locks were released before we took them.
            Store.ReleaseLocks(drive.Record.Lease.Run);
            return DriveEnd.Ended;
        }
        if (before.Preflight.Count == 0 && !await PassesPreflight(drive))
            return DriveEnd.Ended;
        await LookAfterFiles(drive);
        return await new Runner(drive, new Sequencer(drive.Plan.Runbook, Catalog), Settings).Loop();
    }

    /// <summary>False when the run ended before it began.</summary>
    static async Task<bool> PassesPreflight(Drive drive)
    {
        var findings = await drive.World.Preflight(drive.Around, drive.Folders.Root, drive.Settings.Interrupt);
        drive.Record.Append(new PreflightDone(findings));
        var faults = findings.Where(f => f.Kind == FindingKind.Fault).Select(f => $"{f.Subject}: {f.What}").ToList();
        try
        {
            if (faults.Count == 0)
                await ResolveBackups(drive);
        }
        catch (StepFailedException e)
        {
            faults.Add(e.Message);
        }
        if (faults.Count == 0)
            return true;
        drive.Record.Append(new RunEnded(Outcome.Failed, "the pre-flight failed, nothing was done: " + string.Join("; ", faults), []));
        return false;
    }

    /// <summary>Inputs of type backup: from a selector to a key, once.</summary>
    static async Task ResolveBackups(Drive drive)
    {
        foreach (var (name, input) in drive.Plan.Runbook.Inputs.Where(i => i.Value is { Type: InputType.Backup, Target: not null }))
            if (drive.Record.Read(s => s.Inputs[name]?.ToString()) is { } selector
                && drive.Plan.Environment.Targets.All.GetValueOrDefault(input.Target!) is IHoldsBackups shelf)
                drive.Record.Append(new InputResolved(name, await drive.World.Choose(shelf, input.Prefix ?? "", selector, drive.Around.Reading(drive.Settings.Interrupt))));
    }

    /// <summary>A file that an output names may be gone when a run goes on: its producer runs again if it only reads, else people are asked.</summary>
    static async Task LookAfterFiles(Drive drive)
    {
        var producers = drive.Record.Read(s => s.Steps.Values.Where(p => p is { Status: StepStatus.Succeeded, Files.Count: > 0 }).ToList());
        foreach (var step in producers)
            if (step.Files.FirstOrDefault(f => !drive.World.IsThere(f)) is { } gone && IsNeeded(drive, gone))
                drive.Record.Append(step.Effects.All(e => e.Effect == Effect.Reads || e.Target is null)
                    ? new StepReset(step.Path, $"{gone.Path} is gone", null)
                    : new StepFailed(step.Path, 0, FailureClass.Missing, $"its file {gone.Path} is gone", null, null));
    }

    static bool IsNeeded(Drive drive, LocalFile file) =>
        drive.Record.Read(s => drive.Plan.Steps.Any(p => p.Part == Part.Steps && s.StatusOf(p.Path) != StepStatus.Succeeded && s.StatusOf(p.Path) != StepStatus.Skipped
            && p.Item.With.ToJsonString(StepJson.Options).Contains($".{file.Output}", StringComparison.Ordinal)));

    async Task<Lease> TakeLease(string run, DriveSettings settings)
    {
        if (_taken.Remove(run, out var mine))
            return mine;
        var (taken, held) = Store.TryTake(run, DriverIdentity.Current, "resume");
        if (taken is not null)
            return taken;
        if (DriverIdentity.IsGone(held.Driver))
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

    Drive Compose(RunRecord record, Plan plan, Masker masker, DriveSettings settings, Driver? before)
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
            Before = before,
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
            if (!File.Exists(copy))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.WriteAllBytes(copy, file.Bytes);
                if (File.Exists(path))
                    File.SetUnixFileMode(copy, File.GetUnixFileMode(path));
            }
            copies[path] = copy;
        }
        return copies;
    }
}
