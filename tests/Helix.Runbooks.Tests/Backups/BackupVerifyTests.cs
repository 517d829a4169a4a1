using Helix.Runbooks.Steps;
using Helix.Steps.Backups;
using Helix.Steps.Neo4j;
using Microsoft.Extensions.Time.Testing;

namespace Helix.Runbooks.Tests.Backups;

public sealed class BackupVerifyTests : IDisposable
{
    static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    readonly string _shelf = Directory.CreateTempSubdirectory("helix-shelf-").FullName;
    readonly TestHost _trial;

    public BackupVerifyTests() => _trial = new TestHost { Clock = new FakeTimeProvider(Noon) }.With(new DirectoryTarget { Name = "shelf", Path = _shelf });

    [Fact]
    public async Task Good_backups_pass_and_every_byte_was_read()
    {
        await Make("a", 100);
        await Make("b", 200);
        var outputs = await _trial.Run(new BackupVerify(), Options());
        Assert.Equal((2, 2, 300), (outputs.Checked, outputs.Read, outputs.BytesRead));
        Assert.Equal("redis/b", outputs.Newest);
    }

    [Fact]
    public async Task A_flipped_bit_is_found_by_reading_and_named()
    {
        var key = await Make("a", 100);
        await Make("b", 200);
        Flip(key);
        await _trial.Run(new BackupVerify(), Options() with { Depth = VerifyDepth.Structure });
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => _trial.Run(new BackupVerify(), Options()));
        Assert.Contains("1 of 2 backups are bad: redis/a", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_subset_reads_the_newest_and_in_time_all_others()
    {
        foreach (var i in Enumerable.Range(0, 5))
            await Make($"b{i}", 100);
        var outputs = await _trial.Run(new BackupVerify(), Options() with { Depth = VerifyDepth.Subset, Subset = 2 });
        Assert.Equal((5, 2), (outputs.Checked, outputs.Read));
        Flip("redis/b4");
        await Assert.ThrowsAsync<StepFailedException>(() => _trial.Run(new BackupVerify(), Options() with { Depth = VerifyDepth.Subset, Subset = 1 }));
    }

    [Fact]
    public async Task An_unfinished_object_is_no_bad_backup_but_no_good_one_either()
    {
        Directory.CreateDirectory(Path.Combine(_shelf, "redis"));
        File.WriteAllText(Path.Combine(_shelf, "redis/half"), "half");
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => _trial.Run(new BackupVerify(), Options()));
        Assert.Contains("no good backup", failure.Message, StringComparison.Ordinal);
        await Make("a", 100);
        Assert.Equal("redis/a", (await _trial.Run(new BackupVerify(), Options())).Newest);
    }

    [Fact]
    public async Task WFE_12_a_series_whose_newest_backup_is_too_old_fails()
    {
        await Make("a", 100, Noon.AddHours(-3));
        await _trial.Run(new BackupVerify(), Options() with { MaxAge = new Duration(TimeSpan.FromHours(4)) });
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => _trial.Run(new BackupVerify(), Options() with { MaxAge = new Duration(TimeSpan.FromHours(2)) }));
        Assert.Contains("3h ago, and 2h are allowed", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_count_that_fell_by_more_than_allowed_is_found()
    {
        await Make("a", 100, Noon.AddHours(-2), new() { ["Persona"] = 1000 });
        await Make("b", 100, Noon.AddHours(-1), new() { ["Persona"] = 700 });
        await _trial.Run(new BackupVerify(), Options() with { MaxCountChange = 30 });
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => _trial.Run(new BackupVerify(), Options() with { MaxCountChange = 20 }));
        Assert.Contains("Persona went from 1000 to 700", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(95, null, true)] // within the 10 % of the target
    [InlineData(85, null, false)]
    [InlineData(85, 20, false)] // the target's own word goes before that of the step
    public async Task A_check_of_the_source_says_itself_how_much_it_may_change_from_one_backup_to_the_next(long now, int? maxCountChange, bool good)
    {
        const string query = "MATCH (n:Persona) WHERE n.active RETURN count(n)";
        _trial.Add("graph", new Neo4jTarget { Url = "http://127.0.0.1:1", Checks = [new() { Query = query, MaxChangeFromLastBackup = 10 }] });
        await Make("a", 100, Noon.AddHours(-2), new() { ["nodes"] = 1000, [$"check:{query}"] = 100 }, "graph");
        await Make("b", 100, Noon.AddHours(-1), new() { ["nodes"] = 900, [$"check:{query}"] = now }, "graph");
        var verify = () => _trial.Run(new BackupVerify(), Options() with { MaxCountChange = maxCountChange });
        if (good)
            await verify();
        else
            Assert.Contains("maxChangeFromLastBackup of target 'graph'", (await Assert.ThrowsAsync<StepFailedException>(verify)).Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proof_is_written_once_per_run_and_makes_the_backup_latest_proven()
    {
        var key = await Make("a", 100);
        var options = new BackupProveOptions { Target = "shelf", Backup = key, RestoredInto = null, Note = "drill" };
        Assert.True((await _trial.Run(new BackupProve(), options)).Proven);
        await _trial.Run(new BackupProve(), options);
        Assert.Equal(ProbeVerdict.Done, (await new BackupProve().Probe(options, _trial.Context())).Verdict);
        await using var store = new DirectoryStore(_shelf);
        var manifest = await new BackupSeries(store, "redis/").Select("latest-proven", Noon);
        Assert.Equal("drill", Assert.Single(manifest.Proofs).Note);
    }

    [Fact]
    public async Task A_later_round_of_the_same_run_that_finds_it_bad_takes_the_proof_back()
    {
        var key = await Make("a", 100);
        var options = new BackupProveOptions { Target = "shelf", Backup = key };
        Assert.True((await _trial.Run(new BackupProve(), options)).Proven);
        _trial.SavedValues.Clear();
        Assert.False((await _trial.Run(new BackupProve(), options with { Passed = false })).Proven);
    }

    [Fact]
    public async Task What_was_rejected_is_rejected_also_when_its_object_is_short_or_gone()
    {
        await Make("good", 100);
        foreach (var left in new long?[] { 10, null })
        {
            var key = await Make($"bad-{left}", 100);
            var path = Path.Combine(_shelf, key);
            if (left is { } length)
                File.WriteAllBytes(path, new byte[length]);
            else
                File.Delete(path);
            await using var store = new DirectoryStore(_shelf);
            await new BackupSeries(store, "redis/").Reject(key, "it is short", "alice", Noon);
        }
        await _trial.Run(new BackupVerify(), Options());
    }

    [Fact]
    public async Task A_first_thing_of_its_kind_is_no_loss_and_may_be_allowed()
    {
        await Make("a", 100, Noon.AddHours(-2), new() { ["constraints"] = 0 });
        await Make("b", 100, Noon.AddHours(-1), new() { ["constraints"] = 1 });
        await _trial.Run(new BackupVerify(), Options() with { MaxCountChange = 100 });
    }

    [Fact]
    public async Task A_restore_with_other_counts_is_no_proof()
    {
        var key = await Make("a", 100, counts: new() { ["db0"] = 10_000 });
        var options = new BackupProveOptions { Target = "shelf", Backup = key, Counts = new Dictionary<string, long> { ["db0"] = 9_999 } };
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => _trial.Run(new BackupProve(), options));
        Assert.Contains("9999 of db0", failure.Message, StringComparison.Ordinal);
        Assert.False((await _trial.Run(new BackupProve(), options with { Passed = false })).Proven);
    }

    int _made;

    async Task<string> Make(string name, int size, DateTimeOffset? recoveryPoint = null, Dictionary<string, long>? counts = null, string? source = null)
    {
        _trial.SavedValues.Clear();
        var outputs = await _trial.Run(new BackupUpload(), new()
        {
            Target = "shelf",
            File = _trial.Write("dump", new byte[size]),
            Prefix = "redis/",
            Name = name,
            Kind = "redis.rdb",
            RecoveryPoint = recoveryPoint ?? Noon.AddMinutes(_made++ - 100),
            Counts = counts,
            Source = source,
        });
        return outputs.Key;
    }

    void Flip(string key)
    {
        var path = Path.Combine(_shelf, key);
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    BackupVerifyOptions Options() => new() { Target = "shelf", Prefix = "redis/" };

    public void Dispose()
    {
        _trial.Dispose();
        Directory.Delete(_shelf, recursive: true);
    }
}
