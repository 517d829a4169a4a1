using System.Text.Json;
using Helix.Runbooks.Steps;
using Helix.Steps.Backups;
using Helix.Steps.Files;
using Microsoft.Extensions.Time.Testing;

namespace Helix.Runbooks.Tests.Backups;

public sealed class BackupSeriesTests : IDisposable
{
    static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    readonly string _folder = Directory.CreateTempSubdirectory("helix-").FullName;
    readonly DirectoryStore _store;
    readonly BackupSeries _series;

    public BackupSeriesTests()
    {
        _store = new DirectoryStore(_folder);
        _series = new BackupSeries(_store, "redis/");
    }

    [Fact]
    public async Task Latest_is_the_newest_recovery_point_whatever_was_written_last()
    {
        await Make("new", Noon);
        await Make("old", Noon.AddHours(-5));
        Assert.Equal("redis/new", (await _series.Select("latest", Noon)).Key);
    }

    [Fact]
    public async Task S3_14_age_comes_from_the_manifest_and_not_from_the_time_of_a_file()
    {
        await Make("old", Noon.AddDays(-30));
        await Make("new", Noon.AddHours(-1));
        File.SetLastWriteTimeUtc(Path.Combine(_folder, "redis/old"), Noon.UtcDateTime.AddYears(1));
        File.SetLastWriteTimeUtc(Path.Combine(_folder, "redis/new"), Noon.UtcDateTime.AddYears(-1));
        Assert.Equal("redis/new", (await _series.Select("latest", Noon)).Key);
        Assert.Equal("redis/old", (await _series.Select("age:7d", Noon)).Key);
        Assert.Equal("redis/new", (await _series.Select("age:30m", Noon)).Key);
    }

    [Fact]
    public async Task Before_takes_the_newest_that_is_strictly_older()
    {
        await Make("a", Noon.AddHours(-2));
        await Make("b", Noon.AddHours(-1));
        Assert.Equal("redis/a", (await _series.Select("before:2026-03-01T11:00:00Z", Noon)).Key);
        Assert.Equal("redis/b", (await _series.Select("before:2026-03-01T12:00:01+01:00", Noon)).Key);
        await Assert.ThrowsAsync<StepFailedException>(() => _series.Select("before:2026-03-01T10:00:00Z", Noon));
    }

    [Fact]
    public async Task What_was_read_until_after_that_moment_is_not_from_before_it()
    {
        await Make("a", Noon.AddHours(-3));
        await Make("online", Noon.AddHours(-1), until: Noon.AddHours(-1).AddMinutes(20));
        Assert.Equal("redis/a", (await _series.Select("before:2026-03-01T11:10:00Z", Noon)).Key);
        Assert.Equal("redis/online", (await _series.Select("before:2026-03-01T11:20:01Z", Noon)).Key);
    }

    [Fact]
    public async Task A_recovery_point_that_lies_ahead_is_passed_over_and_named_and_may_be_taken_by_its_key()
    {
        await Make("good", Noon.AddMinutes(4)); // clocks differ a little
        await Make("ahead", Noon.AddYears(1));
        var series = new BackupSeries(new DirectoryStore(_folder) { Clock = new FakeTimeProvider(Noon) }, "redis/");
        var heard = new List<string>();
        Assert.Equal("redis/good", (await series.Select("latest", Noon, heard.Add)).Key);
        Assert.Equal("redis/ahead is not taken: its recovery point 2027-03-01 12:00:00Z lies in the future.", Assert.Single(heard));
        Assert.Equal("redis/ahead", (await series.Select("redis/ahead", Noon)).Key);
    }

    [Fact]
    public async Task An_object_without_a_manifest_is_never_latest()
    {
        await Make("good", Noon.AddHours(-1));
        File.WriteAllText(Path.Combine(_folder, "redis/half"), "half");
        var heard = new List<string>();
        Assert.Equal("redis/good", (await _series.Select("latest", Noon, heard.Add)).Key);
        Assert.Equal("redis/half is not taken: it has no manifest.", Assert.Single(heard));
        Assert.Equal(FailureClass.InvalidData, (await Assert.ThrowsAsync<StepFailedException>(() => _series.Select("redis/half", Noon))).Failure);
    }

    [Theory]
    [InlineData("cut manifest")]
    [InlineData("object gone")]
    [InlineData("object short")]
    [InlineData("manifest of another")]
    public async Task A_damaged_backup_is_never_latest(string how)
    {
        await Make("good", Noon.AddHours(-1));
        await Make("bad", Noon);
        var path = Path.Combine(_folder, "redis/bad");
        switch (how)
        {
            case "cut manifest": File.WriteAllBytes(path + BackupManifest.Suffix, File.ReadAllBytes(path + BackupManifest.Suffix)[..100]); break;
            case "object gone": File.Delete(path); break;
            case "object short": File.WriteAllText(path, "ab"); break;
            default: File.Copy(Path.Combine(_folder, "redis/good" + BackupManifest.Suffix), path + BackupManifest.Suffix, overwrite: true); break;
        }
        Assert.Equal("redis/good", (await _series.Select("latest", Noon)).Key);
        Assert.Equal(BackupState.Damaged, (await _series.Show("redis/bad")).State);
        await Assert.ThrowsAsync<StepFailedException>(() => _series.Select("redis/bad", Noon));
    }

    [Fact]
    public async Task A_rejected_backup_is_never_taken_again_by_any_selector()
    {
        await Make("good", Noon.AddHours(-1));
        await Make("bad", Noon);
        await _series.Prove("redis/bad", Proof(passed: true));
        await _series.Reject("redis/bad", "node counts are wrong", "alice", Noon);
        Assert.Equal("redis/good", (await _series.Select("latest", Noon)).Key);
        await Assert.ThrowsAsync<StepFailedException>(() => _series.Select("latest-proven", Noon));
        var named = await Assert.ThrowsAsync<StepFailedException>(() => _series.Select("redis/bad", Noon));
        Assert.Contains("rejected by alice: node counts are wrong", named.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<RunbookException>(() => _series.Reject("redis/good", " ", "alice", Noon));
    }

    [Fact]
    public async Task Latest_proven_follows_the_newest_proof()
    {
        await Make("a", Noon.AddHours(-2));
        await Make("b", Noon.AddHours(-1));
        await Assert.ThrowsAsync<StepFailedException>(() => _series.Select("latest-proven", Noon));
        await _series.Prove("redis/a", Proof(passed: true));
        Assert.Equal("redis/a", (await _series.Select("latest-proven", Noon)).Key);
        await _series.Prove("redis/b", Proof(passed: true));
        Assert.Equal("redis/b", (await _series.Select("latest-proven", Noon)).Key);
        await _series.Prove("redis/b", Proof(passed: false, later: 1));
        Assert.Equal("redis/a", (await _series.Select("latest-proven", Noon)).Key);
    }

    [Theory]
    [InlineData("latest")]
    [InlineData("before:2026-03-01T12:00:00Z")]
    [InlineData("age:1m")]
    public async Task A_backup_that_a_restore_found_bad_is_passed_over_and_named_and_may_be_taken_by_its_key(string selector)
    {
        await Make("good", Noon.AddHours(-2));
        await Make("bad", Noon.AddHours(-1));
        await _series.Prove("redis/bad", Proof(passed: true));
        Assert.Equal("redis/bad", (await _series.Select(selector, Noon)).Key);
        await _series.Prove("redis/bad", Proof(passed: false, later: 1));
        var heard = new List<string>();
        Assert.Equal("redis/good", (await _series.Select(selector, Noon, heard.Add)).Key);
        Assert.Equal("redis/bad is not taken: its restore was found bad by run run at 2026-03-01 12:01:00Z.", Assert.Single(heard));
        Assert.Equal("redis/bad", (await _series.Select("redis/bad", Noon)).Key);

        Assert.Equal(TimeSpan.FromHours(2), new SeriesView(await _series.List(), Noon, null).Loss);
        Assert.Equal("found bad", (await _series.Show("redis/bad")).StateInWords);
        await _series.Prove("redis/bad", Proof(passed: true, later: 2));
        Assert.Equal("redis/bad", (await _series.Select(selector, Noon)).Key);
    }

    [Fact]
    public async Task The_proof_that_was_written_last_counts_also_from_a_machine_whose_clock_is_behind()
    {
        await Make("a", Noon.AddHours(-2));
        await _series.Prove("redis/a", Proof(passed: true, later: 60));
        await _series.Prove("redis/a", Proof(passed: false));
        await Assert.ThrowsAsync<StepFailedException>(() => _series.Select("latest-proven", Noon));
    }

    [Fact]
    public async Task A_pinned_backup_that_was_replaced_is_refused()
    {
        var manifest = await Make("a", Noon);
        var pinned = new BackupChoice(manifest.Key, manifest.Stored.Sha256, manifest.RecoveryPoint, false).Pinned;
        Assert.Equal("redis/a", (await _series.Select(pinned, Noon)).Key);
        await _store.Delete("redis/a" + BackupManifest.Suffix, default);
        await Make("a", Noon, "other");
        Assert.Equal(FailureClass.Conflict, (await Assert.ThrowsAsync<StepFailedException>(() => _series.Select(pinned, Noon))).Failure);
    }

    [Fact]
    public async Task Proofs_that_come_at_the_same_time_are_all_kept()
    {
        await Make("a", Noon);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => _series.Prove("redis/a", Proof(passed: true, later: i))));
        Assert.Equal(4, (await _series.Show("redis/a")).Manifest!.Proofs.Count);
    }

    [Fact]
    public async Task An_adopted_backup_was_read_and_says_who_vouched_for_it()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "redis"));
        await using (var zip = new System.IO.Compression.GZipStream(File.Create(Path.Combine(_folder, "redis/redis_20260228.rdb.gz")), System.IO.Compression.CompressionLevel.Fastest))
            await zip.WriteAsync(new byte[10_000]);
        var manifest = await _series.Adopt("redis/redis_20260228.rdb.gz", Noon.AddDays(-1), "redis.rdb", "alice", Noon);
        Assert.Equal(10_000, manifest.Content.Size);
        Assert.Equal(Compression.Gzip, manifest.Compression);
        Assert.Equal("redis_20260228.rdb", manifest.FileName);
        Assert.Equal("alice", manifest.Adopted!.By);
        Assert.Equal("redis/redis_20260228.rdb.gz", (await _series.Select("latest", Noon)).Key);
        Assert.Equal(FailureClass.Conflict, (await Assert.ThrowsAsync<StepFailedException>(() => _series.Adopt("redis/redis_20260228.rdb.gz", Noon.AddDays(-1), "redis.rdb", "alice", Noon))).Failure);
    }

    [Theory]
    [InlineData(Compression.Gzip)]
    [InlineData(Compression.Zstd)]
    public async Task A_cut_off_archive_is_not_adopted(Compression compression)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "redis"));
        using var packed = new MemoryStream();
        await using (var compressor = Compressions.Compress(packed, compression, null, null))
            await compressor.WriteAsync(Enumerable.Range(0, 100_000).Select(i => (byte)(i * 7919 >> 3)).ToArray());
        var key = "redis/a" + Compressions.Extension(compression);
        File.WriteAllBytes(Path.Combine(_folder, key), packed.ToArray()[..^100]);
        Assert.Equal(FailureClass.InvalidData, (await Assert.ThrowsAsync<StepFailedException>(() => _series.Adopt(key, Noon.AddDays(-1), "redis.rdb", "alice", Noon))).Failure);
        Assert.Null(await _store.ReadSmall(key + BackupManifest.Suffix, default));
    }

    [Fact]
    public async Task What_a_newer_version_wrote_into_a_manifest_survives_a_rewrite()
    {
        await Make("a", Noon);
        var path = Path.Combine(_folder, "redis/a" + BackupManifest.Suffix);
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"kind\"", "\"futureField\": {\"x\": 1}, \"kind\"", StringComparison.Ordinal));
        await _series.Prove("redis/a", Proof(passed: true));
        using var json = JsonDocument.Parse(File.ReadAllText(path));
        Assert.Equal(1, json.RootElement.GetProperty("futureField").GetProperty("x").GetInt32());
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("before:")]
    [InlineData("before:yesterday")]
    [InlineData("age:")]
    [InlineData("age:old")]
    [InlineData("neo4j/other-series")]
    [InlineData("redis/../etc")]
    public async Task PM_07_an_empty_or_malformed_selector_is_an_error(string selector) =>
        await Assert.ThrowsAsync<RunbookException>(() => _series.Select(selector, Noon));

    [Fact]
    public void PM_07_a_series_without_a_prefix_cannot_be_made() =>
        Assert.Throws<RunbookException>(() => new BackupSeries(_store, ""));

    [Fact]
    public async Task When_nothing_fits_the_message_says_where_it_looked()
    {
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => _series.Select("latest", Noon));
        Assert.Equal(FailureClass.Missing, failure.Failure);
        Assert.Contains(_folder, failure.Message, StringComparison.Ordinal);
        Assert.Contains("redis/", failure.Message, StringComparison.Ordinal);
    }

    async Task<BackupManifest> Make(string name, DateTimeOffset recoveryPoint, string content = "content", DateTimeOffset? until = null)
    {
        var about = new BackupManifest
        {
            Key = "redis/" + name,
            Kind = "redis.rdb",
            RecoveryPoint = recoveryPoint,
            DataUntil = until,
            MadeAt = Noon,
            Content = ContentDigest.None,
            Stored = ContentDigest.None,
        };
        using var source = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(content));
        return await BackupWriter.Write(_store, about, source, new(), new(), _ => { }, new());
    }

    static BackupProof Proof(bool passed, int later = 0) => new() { At = Noon.AddMinutes(later), Passed = passed, Run = "run" };

    public void Dispose() => TempFolder.Delete(_folder);
}
