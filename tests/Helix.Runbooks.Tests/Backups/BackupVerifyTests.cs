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
    public async Task A_backup_that_lost_half_of_the_graph_since_the_last_one_gets_no_proof_although_it_agrees_with_itself()
    {
        const string query = "MATCH (n) RETURN count(n)";
        _trial.Add("graph", new Neo4jTarget { Url = "http://127.0.0.1:1", Checks = [new() { Query = query, MaxChangeFromLastBackup = 20 }] });
        _trial.Add("another", new Neo4jTarget { Url = "http://127.0.0.1:1" });
        Dictionary<string, long> Holds(long nodes) => new() { ["nodes"] = nodes, [$"check:{query}"] = nodes };
        var whole = await Make("a", 100, Noon.AddHours(-4), Holds(1000), "graph");
        await Prove(whole, Holds(1000));
        await Make("other", 100, Noon.AddHours(-4).AddMinutes(1), Holds(500), "another"); // the same series holds other things too
        var half = await Make("b", 100, Noon.AddHours(-3), Holds(500), "graph");

        var failure = await Assert.ThrowsAsync<StepFailedException>(() => Prove(half, new() { ["nodes"] = 500 }));

        Assert.Equal((FailureClass.InvalidData, true), (failure.Failure, failure.Message.Contains("went from 1000 to 500 between redis/a and redis/b; 20 % are allowed", StringComparison.Ordinal)));
        Assert.False((await Prove(half, [], passed: false)).Proven);
        var still = await Make("c", 100, Noon.AddHours(-2), Holds(500), "graph");
        await Assert.ThrowsAsync<StepFailedException>(() => Prove(still, [])); // that the one before is as small proves nothing
        Assert.True((await Prove(await Make("d", 100, Noon.AddHours(-1), Holds(1100), "graph"), Holds(1100))).Proven);
    }

    Task<BackupProveOutputs> Prove(string key, Dictionary<string, long> counts, bool passed = true)
    {
        _trial.SavedValues.Clear();
        return _trial.Run(new BackupProve(), new() { Target = "shelf", Backup = key, Passed = passed, Counts = counts.Count > 0 ? counts : null });
    }

    [Fact]
    public async Task The_step_itself_may_say_how_much_a_count_may_change_before_it_proves_nothing()
    {
        await Make("a", 100, Noon.AddHours(-2), new() { ["db0"] = 1000 });
        var key = await Make("b", 100, Noon.AddHours(-1), new() { ["db0"] = 400 });
        var options = new BackupProveOptions { Target = "shelf", Backup = key, MaxCountChange = 50 };
        Assert.Contains("maxCountChange", (await Assert.ThrowsAsync<StepFailedException>(() => _trial.Run(new BackupProve(), options))).Hint, StringComparison.Ordinal);
        Assert.True((await _trial.Run(new BackupProve(), options with { MaxCountChange = 60 })).Proven);
    }

    [Fact]
    public async Task What_a_right_restore_counts_otherwise_is_no_difference()
    {
        var key = await Make("a", 100, counts: new() { ["db0"] = 100, ["db0_expiring"] = 20, ["indexes"] = 2, ["check:MATCH (n) RETURN count(n)"] = 7 });
        Assert.True((await Prove(key, new() { ["db0"] = 85, ["db0_expiring"] = 5, ["indexes"] = 4 })).Proven);
        await Assert.ThrowsAsync<StepFailedException>(() => Prove(key, new() { ["db0"] = 79, ["indexes"] = 4 }));
        await Assert.ThrowsAsync<StepFailedException>(() => Prove(key, new() { ["db0"] = 100, ["indexes"] = 1 }));
    }

    [Fact]
    public async Task A_proof_is_found_again_whatever_the_clock_says_beyond_the_millisecond()
    {
        var key = await Make("a", 100);
        using var host = new TestHost { Clock = new FakeTimeProvider(Noon.AddTicks(1_234_567)) }.With(_trial.Context().Target<DirectoryTarget>("shelf"));
        var options = new BackupProveOptions { Target = "shelf", Backup = key };
        await host.Run(new BackupProve(), options);
        await host.Run(new BackupProve(), options);
        Assert.Equal(ProbeVerdict.Done, (await host.Probe(new BackupProve(), options)).Verdict);
        Assert.Single((await new BackupSeries(new DirectoryStore(_shelf), "redis/").Show(key)).Manifest!.Proofs);
    }

    [Fact]
    public async Task A_recovery_point_that_lies_ahead_is_not_stored()
    {
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => Make("a", 100, Noon.AddMinutes(6)));
        Assert.Contains("lies in the future", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(_shelf, "*", SearchOption.AllDirectories));
        await Make("b", 100, Noon.AddMinutes(4));
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
    public async Task An_object_without_a_manifest_takes_no_proof()
    {
        Directory.CreateDirectory(Path.Combine(_shelf, "redis"));
        File.WriteAllText(Path.Combine(_shelf, "redis/half"), "half");
        var failure = await _trial.Fails(FailureClass.InvalidData, new BackupProve(), new() { Target = "shelf", Backup = "redis/half" });
        Assert.Contains("has no manifest", failure.Message, StringComparison.Ordinal);
        Assert.Contains("backups adopt", failure.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_a_restore_found_bad_is_named_and_does_not_count_as_good_but_is_verified_by_its_key()
    {
        var older = await Make("a", 100);
        var bad = await Make("b", 100);
        await Prove(bad, [], passed: false);
        Assert.Equal(older, (await _trial.Run(new BackupVerify(), Options())).Newest);
        Assert.Contains(_trial.Logged, l => l.StartsWith($"{bad}: its restore was found bad", StringComparison.Ordinal));
        var one = await _trial.Run(new BackupVerify(), Options() with { Backup = bad });
        Assert.Equal((bad, 1), (one.Newest, one.Read));
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
        TempFolder.Delete(_shelf);
    }
}
