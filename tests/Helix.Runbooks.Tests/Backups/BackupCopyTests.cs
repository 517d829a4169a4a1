using Helix.Runbooks.Steps;
using Helix.Steps.Backups;
using Microsoft.Extensions.Time.Testing;

namespace Helix.Runbooks.Tests.Backups;

/// <summary>What is known of a backup is true of its copy too, and a copy is no less secret.</summary>
public sealed class BackupCopyTests : IDisposable
{
    static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    static readonly BackupCopyOptions Copy = new() { From = "shelf", To = "offsite", Prefix = "redis/" };

    readonly TestHost _trial = new() { Clock = new FakeTimeProvider(Noon) };
    readonly DirectoryStore _here, _there;

    public BackupCopyTests()
    {
        (_here, _there) = (Store("shelf"), Store("offsite"));
        DirectoryStore Store(string name)
        {
            var folder = Directory.CreateDirectory(Path.Combine(_trial.Folder, name)).FullName;
            _trial.Add(name, new DirectoryTarget { Path = folder });
            return new(folder);
        }
    }

    [Fact]
    public async Task A_proof_that_came_after_the_copy_reaches_the_copy_with_the_next_one()
    {
        var old = await Stored("a", 3);
        await Run(Copy);
        await Prove(old, true);
        await Stored("b", 2);
        await Run(Copy);
        Assert.Equal(old, (await There().Select("latest-proven", Noon)).Key);
        await Prove(old, false);
        await Run(Copy);
        await Assert.ThrowsAsync<StepFailedException>(() => There().Select("latest-proven", Noon));
        Assert.Equal(2, (await There().Show(old)).Manifest!.Proofs.Count);
    }

    [Fact]
    public async Task What_was_rejected_after_the_copy_is_rejected_in_the_copy_with_the_next_one()
    {
        var old = await Stored("a", 3);
        var bad = await Stored("b", 2);
        await Run(Copy with { Backup = old });
        await Run(Copy);
        await Here().Reject(bad, "the graph was empty", "alice", Noon);
        await Run(Copy);
        Assert.Equal(old, (await There().Select("latest", Noon)).Key);
        Assert.Equal("the graph was empty", (await There().Show(bad)).Manifest!.Rejected!.Reason);
    }

    [Fact]
    public async Task A_proof_that_the_copy_alone_has_stays_and_the_later_one_counts()
    {
        var key = await Stored("a", 3);
        await Run(Copy);
        await There().Prove(key, new() { At = Noon.AddHours(2), Passed = false, Run = "there" });
        await Here().Prove(key, new() { At = Noon.AddHours(1), Passed = true, Run = "here" });
        await Run(Copy);
        Assert.Equal(["here", "there"], (await There().Show(key)).Manifest!.Proofs.Select(p => p.Run));
        Assert.False((await There().Show(key)).Manifest!.Proven);
    }

    [Fact]
    public async Task A_rejection_reaches_all_places_that_hold_the_same_bytes_and_names_where_it_could_not()
    {
        var key = await Stored("a", 3);
        await Run(Copy);
        var gone = _trial.Add("gone", new DirectoryTarget { Path = Path.Combine(_trial.Folder, "gone") });
        var other = _trial.Add("other", new DirectoryTarget { Path = Directory.CreateDirectory(Path.Combine(_trial.Folder, "other")).FullName });
        await Stored("a", 4, "other");
        var (shelf, offsite) = (_trial.Context().Target<BackupTarget>("shelf"), _trial.Context().Target<BackupTarget>("offsite"));

        var lines = await BackupVerdicts.RejectElsewhere(await Here().Reject(key, "bad", "alice", Noon), shelf, [shelf, offsite, gone, other], _trial.PlanContext());

        Assert.Equal(BackupState.Rejected, (await There().Show(key)).State);
        Assert.Equal(3, lines.Count);
        Assert.Equal("It is rejected in 'offsite' too.", lines[0]);
        Assert.StartsWith("Warning: 'gone' could not be asked", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("Warning: 'other' has another backup under this key", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_encrypted_is_copied_to_an_encrypted_place_only_when_that_is_said()
    {
        var key = await Stored("a", 3);
        _trial.Add("vault", new DirectoryTarget { Path = Directory.CreateDirectory(Path.Combine(_trial.Folder, "vault")).FullName, EncryptionKey = Key() });
        var refused = await Assert.ThrowsAsync<RunbookException>(() => Run(Copy with { To = "vault" }));
        Assert.Contains($"{key} is not encrypted, and 'vault' has an encryptionKey", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_trial.Folder, "vault"), "*", SearchOption.AllDirectories));
        await Run(Copy with { To = "vault", AllowUnencrypted = true });
    }

    [Fact]
    public async Task A_copy_that_its_target_could_not_decrypt_is_made_with_a_warning()
    {
        var key = Key();
        var shelf = _trial.Add("locked", _trial.Context().Target<DirectoryTarget>("shelf") with { EncryptionKey = key });
        await Stored("a", 3, shelf.Name);
        await Run(Copy with { From = "locked" });
        Assert.Contains(_trial.Logged, l => l.StartsWith("WARNING: redis/a is encrypted with the key", StringComparison.Ordinal));
        _trial.Add("able", _trial.Context().Target<DirectoryTarget>("offsite") with { DecryptionKeys = [key] });
        var before = _trial.Logged.Count;
        await Run(Copy with { From = "locked", To = "able" });
        Assert.DoesNotContain(_trial.Logged.Skip(before), l => l.StartsWith("WARNING", StringComparison.Ordinal));
        await _trial.Run(new BackupVerify(), new() { Target = "able", Prefix = "redis/" });
    }

    [Fact]
    public async Task A_selector_of_the_future_is_doubted_in_the_plan()
    {
        await Stored("a", 3);
        var plan = await _trial.Plan(new BackupCopy(), Copy with { Backup = "before:2026-03-01T12:00:01Z" });
        Assert.Contains("lies in the future", Assert.Single(plan.Warnings), StringComparison.Ordinal);
        Assert.Empty((await _trial.Plan(new BackupCopy(), Copy with { Backup = "before:2026-03-01T11:59:59Z" })).Warnings);
        Assert.Single((await _trial.Plan(new BackupDownload(), new() { Target = "shelf", Prefix = "redis/", To = "x", Backup = "before:2026-03-01T12:00:01Z" })).Warnings);
    }

    Secret Key() => _trial.Canary("KEY", Convert.ToBase64String(new byte[32]));

    BackupSeries Here() => new(_here, "redis/");

    BackupSeries There() => new(_there, "redis/");

    Task<BackupManifest> Prove(string key, bool passed) => Here().Prove(key, new() { At = Noon, Passed = passed, Run = "drill" });

    Task<BackupCopyOutputs> Run(BackupCopyOptions options)
    {
        _trial.SavedValues.Clear();
        return _trial.Run(new BackupCopy(), options);
    }

    async Task<string> Stored(string name, int hoursAgo, string target = "shelf")
    {
        _trial.SavedValues.Clear();
        return (await _trial.Run(new BackupUpload(), new() { Target = target, File = _trial.Write("dump", new byte[100 * hoursAgo]), Prefix = "redis/", Name = name, Kind = "redis.rdb", RecoveryPoint = Noon.AddHours(-hoursAgo) })).Key;
    }

    public void Dispose() => _trial.Dispose();
}
