using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>What becomes of a run when the disk of its store is lost.</summary>
public sealed partial class Engine
{
    /// <summary>The disk of the store is lost: with a second store named the run goes on there, else it parks before its next effect.</summary>
    async Task<DriveResult> GoOnElsewhere(string run, RunRecord record, Plan plan, DriveSettings settings)
    {
        var why = record.Broken?.Message ?? "the store is away";
        if (Settings.SecondStore is not { } path || _second)
            return new DriveResult(DriveEnd.StoreLost, record.Read(s => s)) { Why = why };
        _second = true;
        var first = Store;
        var second = JournalStore.Open(path, Time);
        CopyTo(second, run, record, plan);
        Store = second;
        var lease = Store.Take(run, DriverIdentity.Current, $"the first store was lost: {why}", Store.ReadLease(run)!);
        _taken[run] = lease;
        try
        {
            return await Drive(run, settings);
        }
        finally
        {
            MarkMoved(first, run);
        }
    }

    /// <summary>When the first store can be written again, it says where the run went; until then the second one is asked.</summary>
    void MarkMoved(JournalStore first, string run)
    {
        try
        {
            first.Append(run, new Person(DriverIdentity.Current.Account, IdentityStrength.Os, "engine"), _ => [new RunMoved(Store.StorePath)]);
        }
        catch (Exception e) when (e is StoreLostException or RunbookException)
        {
            // Still lost.
        }
    }

    /// <summary>A run that went on elsewhere is never driven from the shorter record: what it did since would be done twice.</summary>
    void RefuseMoved(RunState state)
    {
        if (_second)
            return;
        var place = state.MovedTo ?? (Settings.SecondStore is { } path && File.Exists(path) && Path.GetFullPath(path) != Store.StorePath && Knows(path, state.Run) ? path : null);
        if (place is not null)
            throw new HeldException($"Run {state.Run} went on in the store {place}, when {Store.StorePath} was lost.", $"`helix resume {state.Run} --store {place}` goes on there.");
    }

    bool Knows(string path, string run)
    {
        using var store = JournalStore.Open(path, Time);
        return store.Has(run);
    }

    /// <summary>From the first store, which may know of one append more than we do; from memory when it cannot be read.</summary>
    void CopyTo(JournalStore second, string run, RunRecord record, Plan plan)
    {
        try
        {
            Store.CopyRun(run, second);
        }
        catch (StoreLostException)
        {
            second.Accept(record.Lease, record.Entries);
            foreach (var file in plan.Pinned.Values)
                second.Keep(file.Bytes);
        }
    }

    bool _second;
}
