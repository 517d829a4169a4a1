using System.Text.Json;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Backups;

public enum BackupState
{
    Complete,
    /// <summary>Something is missing in it, and the runbook did not accept that.</summary>
    Partial,
    Rejected,
    /// <summary>Its recovery point lies ahead: the clock of who made it was wrong, and it would be the newest for as long.</summary>
    Future,
    /// <summary>The newest restore of it was checked and bad. It may be taken by its key.</summary>
    FoundBad,
    /// <summary>An object without a manifest: an upload that did not end, or one made before this tool.</summary>
    Unfinished,
    /// <summary>The manifest cannot be read, or the object is not the one it tells of.</summary>
    Damaged,
}

/// <summary>What came of telling a store what is known of a backup.</summary>
public enum Learnt { NotThere, OtherBytes, Known, Now }

/// <summary>One backup as the store shows it.</summary>
public sealed record BackupEntry(string Key, BackupState State, long? StoredSize, BackupManifest? Manifest, string? Problem)
{
    /// <summary>As lists show it: complete, found bad.</summary>
    public string StateInWords => State == BackupState.FoundBad ? "found bad" : State.ToString().ToLowerInvariant();
}

/// <summary>The backups below one prefix of a store.</summary>
public sealed class BackupSeries
{
    /// <summary>By so much clocks of machines may differ.</summary>
    static readonly TimeSpan ClocksDiffer = TimeSpan.FromMinutes(5);

    readonly BackupStore _store;
    readonly string _prefix;

    /// <exception cref="RunbookException">The prefix is empty or no folder (PM-07).</exception>
    public BackupSeries(BackupStore store, string prefix)
    {
        _store = store;
        _prefix = BackupKey.CheckPrefix(prefix);
    }

    /// <summary>The series of a key is the folder it lies in, so that a key alone is enough.</summary>
    public static string PrefixFor(string? prefix, string selector)
    {
        var key = prefix is null ? BackupSelector.Parse(selector).Key : null;
        var end = key?.LastIndexOf('/') ?? -1;
        return prefix ?? (end > 0 ? key![..(end + 1)] : "");
    }

    /// <summary>The backup that a step works on: the selector is asked once, and a retry or a resume keeps its answer.</summary>
    internal static async Task<BackupManifest> Pinned(BackupStore store, string? prefix, string selector, StepContext context)
    {
        var saved = context.Saved("backup")?.GetValue<string>();
        var series = new BackupSeries(store, PrefixFor(prefix, saved ?? selector));
        var manifest = await series.Select(saved ?? selector, context.Time.GetUtcNow(), context.Log, context.Cancelled);
        if (saved is null)
            await context.Save("backup", new BackupChoice(manifest.Key, manifest.Stored.Sha256, manifest.RecoveryPoint, manifest.Proven).Pinned);
        return manifest;
    }

    /// <summary>All of them, newest recovery point first; what has none comes last.</summary>
    public async Task<IReadOnlyList<BackupEntry>> List(CancellationToken cancelled = default)
    {
        var sizes = new SortedDictionary<string, long>(StringComparer.Ordinal);
        await foreach (var item in _store.List(_prefix, cancelled))
            sizes[item.Key] = item.Size;
        var keys = sizes.Keys.Select(k => k.EndsWith(BackupManifest.Suffix, StringComparison.Ordinal) ? k[..^BackupManifest.Suffix.Length] : k).Distinct().ToList();
        var entries = new BackupEntry[keys.Count];
        var limits = new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancelled };
        await Parallel.ForEachAsync(Enumerable.Range(0, keys.Count), limits, async (i, stop) =>
            entries[i] = sizes.ContainsKey(BackupKey.Manifest(keys[i]))
                ? (await Entry(keys[i], Size(sizes, keys[i]), stop)).Entry
                : new(keys[i], BackupState.Unfinished, sizes[keys[i]], null, "it has no manifest"));
        return [.. entries.OrderByDescending(e => e.Manifest?.RecoveryPoint ?? DateTimeOffset.MinValue).ThenBy(e => e.Key, StringComparer.Ordinal)];
    }

    /// <exception cref="StepFailedException">Missing when there is neither object nor manifest.</exception>
    public async Task<BackupEntry> Show(string key, CancellationToken cancelled = default)
    {
        var stat = await _store.Stat(Inside(key), cancelled);
        var (entry, tag) = await Entry(key, stat?.Size, cancelled);
        return tag is null && stat is null ? throw NotThere(key) : entry;
    }

    /// <summary>The one backup that a selector means now. Never one that is unfinished, damaged, partial or rejected, and one that was found bad only by its key.</summary>
    /// <param name="passedOver">Hears, in words, of newer ones that were not taken.</param>
    public async Task<BackupManifest> Select(string selector, DateTimeOffset now, Action<string>? passedOver = null, CancellationToken cancelled = default)
    {
        var wanted = BackupSelector.Parse(selector);
        if (wanted.Key is { } key)
            return await ByKey(key, wanted.Sha256, cancelled);
        var entries = await List(cancelled);
        foreach (var entry in entries.Where(e => e.State != BackupState.Complete))
            passedOver?.Invoke($"{entry.Key} is not taken: {entry.Problem}.");
        var chosen = entries.FirstOrDefault(e => e.State == BackupState.Complete && Fits(wanted, e.Manifest!, now))?.Manifest;
        return chosen ?? throw StepFailedException.Missing(
            $"There is no backup below {_prefix} in {_store.Place} that fits '{selector}'.",
            entries.Count == 0 ? "There is none at all there." : $"See them all with: helix backups list -e … --prefix {_prefix}");
    }

    /// <summary>The one that a selector means, or that a key names, whatever its state.</summary>
    public async Task<BackupEntry> Find(string selector, DateTimeOffset now, Action<string>? passedOver = null, CancellationToken cancelled = default)
    {
        var wanted = BackupSelector.Parse(selector);
        return await Show(wanted is { Key: { } key, Sha256: null } ? key : (await Select(selector, now, passedOver, cancelled)).Key, cancelled);
    }

    /// <summary>Reads every byte of one and compares it with its manifest.</summary>
    /// <exception cref="StepFailedException">It cannot be taken, or is not what its manifest says.</exception>
    public async Task<BackupManifest> Verify(string selector, DateTimeOffset now, Transfer transfer)
    {
        var manifest = await Select(selector, now, transfer.Log, transfer.Cancelled);
        await BackupReader.ReadAll(_store, manifest, transfer);
        return manifest;
    }

    /// <summary>No selector takes it from now on.</summary>
    public Task<BackupManifest> Reject(string key, string reason, string by, DateTimeOffset now, CancellationToken cancelled = default) =>
        reason.Trim().Length == 0
            ? throw new RunbookException($"Why {key} is rejected is not said.", "Give a reason; it stays in the manifest.")
            : Rewrite(key, m => m with { Rejected = new(now, by, reason) }, cancelled);

    /// <summary>Adds the result of a restore into a throw-away target.</summary>
    public Task<BackupManifest> Prove(string key, BackupProof proof, CancellationToken cancelled = default) =>
        Rewrite(key, m => m with { Proofs = [.. m.Proofs, proof] }, cancelled);

    /// <summary>Takes over what became known of the same bytes elsewhere: proofs, and a rejection.</summary>
    public async Task<Learnt> Learn(BackupManifest elsewhere, CancellationToken cancelled = default)
    {
        var (entry, tag) = await Entry(Inside(elsewhere.Key), null, cancelled);
        if (tag is null || entry.Manifest is not { } here)
            return Learnt.NotThere;
        if (here.Stored != elsewhere.Stored)
            return Learnt.OtherBytes;
        if (here.IsJudgedLike(elsewhere))
            return Learnt.Known;
        await Rewrite(elsewhere.Key, m => m.Stored == elsewhere.Stored ? m.JudgedLike(elsewhere) : m, cancelled);
        return Learnt.Now;
    }

    /// <summary>Reads an object that was made before this tool, and writes a manifest for it.</summary>
    public async Task<BackupManifest> Adopt(string key, DateTimeOffset recoveryPoint, string kind, string by, DateTimeOffset now, CancellationToken cancelled = default)
    {
        BackupKey.Check(Inside(key));
        if (IsAhead(recoveryPoint, now))
            throw new RunbookException(Ahead(recoveryPoint), "Give the moment that its data stands for.");
        if (await _store.ReadSmall(BackupKey.Manifest(key), cancelled) is not null)
            throw StepFailedException.Conflict($"{key} has a manifest already.", $"See it with: helix backups show {key} -e …");
        var there = await _store.Stat(key, cancelled) ?? throw NotThere(key);
        if (there.Size == 0)
            throw StepFailedException.InvalidData($"{key} in {_store.Place} is empty: there is nothing to adopt.", "Remove it, and adopt another.");
        var manifest = await BackupReader.Examine(_store, key, cancelled) with
        {
            Kind = kind,
            RecoveryPoint = recoveryPoint,
            MadeAt = now,
            Adopted = new(now, by),
        };
        await _store.Replace(BackupKey.Manifest(key), manifest.ToBytes(), null, cancelled);
        return manifest;
    }

    async Task<BackupManifest> ByKey(string key, string? sha256, CancellationToken cancelled)
    {
        var entry = await Show(key, cancelled);
        // Who names it has seen when it says it is from, or how its restore went.
        if (entry.State is not (BackupState.Complete or BackupState.Future or BackupState.FoundBad))
            throw StepFailedException.InvalidData($"{key} cannot be taken: {entry.Problem}.", $"Choose another: helix backups list -e … --prefix {_prefix}");
        return sha256 is null || entry.Manifest!.Stored.Sha256 == sha256
            ? entry.Manifest!
            : throw StepFailedException.Conflict($"{key} is not the backup that was chosen: its SHA-256 is another by now.", "Somebody replaced it. Choose again.");
    }

    static bool Fits(BackupSelector wanted, BackupManifest manifest, DateTimeOffset now) =>
        (!wanted.ProvenOnly || manifest.Proven)
        && (wanted.Before is not { } before || manifest.HoldsUntil < before)
        && (wanted.Age is not { } age || now - manifest.RecoveryPoint >= age);

    async Task<(BackupEntry Entry, string? Tag)> Entry(string key, long? size, CancellationToken cancelled)
    {
        if (await _store.ReadSmall(BackupKey.Manifest(key), cancelled) is not var (bytes, tag))
            return (new(key, BackupState.Unfinished, size, null, "it has no manifest"), null);
        try
        {
            return (Judge(key, size, BackupManifest.Parse(bytes)), tag);
        }
        catch (JsonException)
        {
            return (new(key, BackupState.Damaged, size, null, "its manifest cannot be read"), tag);
        }
    }

    internal static bool IsAhead(DateTimeOffset recoveryPoint, DateTimeOffset now) => recoveryPoint > now + ClocksDiffer;

    internal static string Ahead(DateTimeOffset recoveryPoint) => $"The recovery point {recoveryPoint:u} lies in the future.";

    BackupEntry Judge(string key, long? size, BackupManifest manifest) =>
        manifest.Key != key ? new(key, BackupState.Damaged, size, manifest, $"its manifest tells of {manifest.Key}")
        : manifest.Rejected is { } no ? new(key, BackupState.Rejected, size, manifest, $"it was rejected by {no.By}: {no.Reason}")
        : size is null ? new(key, BackupState.Damaged, null, manifest, "its object is missing")
        : size != manifest.Stored.Size ? new(key, BackupState.Damaged, size, manifest, $"its object has {size} bytes instead of {manifest.Stored.Size}")
        : manifest.Partial ? new(key, BackupState.Partial, size, manifest, $"it is partial: {string.Join("; ", manifest.Warnings)}")
        : _store.Clock is { } clock && IsAhead(manifest.RecoveryPoint, clock.GetUtcNow()) ? new(key, BackupState.Future, size, manifest, $"its recovery point {manifest.RecoveryPoint:u} lies in the future")
        : manifest.FoundBad ? new(key, BackupState.FoundBad, size, manifest, $"its restore was found bad by run {manifest.Proofs[^1].Run} at {manifest.Proofs[^1].At:u}")
        : new(key, BackupState.Complete, size, manifest, null);

    async Task<BackupManifest> Rewrite(string key, Func<BackupManifest, BackupManifest> change, CancellationToken cancelled)
    {
        for (var tries = 1; ; tries++)
        {
            var (entry, tag) = await Entry(Inside(key), (await _store.Stat(key, cancelled))?.Size, cancelled);
            if (tag is null)
                throw NotThere(key);
            var changed = change(entry.Manifest ?? throw StepFailedException.InvalidData($"The manifest of {key} cannot be read."));
            try
            {
                await _store.Replace(BackupKey.Manifest(key), changed.ToBytes(), tag, cancelled);
                return changed;
            }
            catch (StepFailedException e) when (e.Failure == FailureClass.Conflict && tries < 5)
            {
                // Two people wrote at once: the change is made again on top of the other's.
            }
        }
    }

    string Inside(string key) => key.StartsWith(_prefix, StringComparison.Ordinal)
        ? key
        : throw new RunbookException($"The backup {key} is not below {_prefix}.", "Key and prefix must belong together.");

    static long? Size(SortedDictionary<string, long> sizes, string key) => sizes.TryGetValue(key, out var size) ? size : null;

    StepFailedException NotThere(string key) =>
        StepFailedException.Missing($"There is no backup {key} in {_store.Place}.", $"See what is there with: helix backups list -e … --prefix {_prefix}");
}
