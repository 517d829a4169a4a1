using CsCheck;
using Helix.Runbooks.Steps;
using Helix.Steps.Backups;

namespace Helix.Runbooks.Tests.Backups;

public sealed class PrunePlanTests
{
    static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Each_rule_keeps_the_newest_of_its_periods_and_says_so()
    {
        var entries = Enumerable.Range(0, 24 * 60).Select(h => Entry($"b{h}", Noon.AddHours(-h))).ToList();
        var plan = PrunePlan.Of(entries, Rules() with { KeepHourly = 24, KeepDaily = 7, KeepWeekly = 4, KeepMonthly = 2, KeepAtLeast = 1, MaxRemoved = 10_000 }, Noon);
        Assert.Null(plan.Refusal);
        Assert.Equal(24, plan.Keep.Count(e => e.Manifest!.RecoveryPoint > Noon.AddHours(-24)));
        Assert.Contains(plan.Table, l => l.Contains("redis/b0", StringComparison.Ordinal) && l.EndsWith("newest, hourly 2026-03-01 12h, daily 2026-03-01, weekly 2026-W09, monthly 2026-03", StringComparison.Ordinal));
        Assert.Contains(plan.Table, l => l.StartsWith("keep  ", StringComparison.Ordinal) && l.EndsWith("daily 2026-02-27", StringComparison.Ordinal));
        Assert.Equal(entries.Count, plan.Table.Count);
        Assert.InRange(plan.Keep.Count, 30, 40);
    }

    [Fact]
    public void Whatever_the_rules_the_newest_the_newest_proven_and_the_least_number_stay()
    {
        var entry = Gen.Select(Gen.Int[0, 5000], Gen.Bool, Gen.Int[0, 5]);
        Gen.Select(entry.Array[1, 40], Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[1, 6]).Sample((made, hourly, daily, yearly, least) =>
        {
            var entries = made.Select((m, i) => Entry($"b{i}", Noon.AddHours(-m.Item1), m.Item2, m.Item3 switch { 0 => BackupState.Rejected, 1 => BackupState.Partial, 2 => BackupState.FoundBad, _ => BackupState.Complete }))
                .OrderByDescending(e => e.Manifest!.RecoveryPoint).ToList();
            var plan = PrunePlan.Of(entries, Rules() with { KeepHourly = hourly, KeepDaily = daily, KeepYearly = yearly + 1, KeepAtLeast = least }, Noon);
            var complete = entries.Where(e => e.State == BackupState.Complete).ToList();
            Assert.Equal(entries.Count, plan.Keep.Count + plan.Remove.Count);
            foreach (var kept in complete.Take(Math.Max(least, 1)).Concat(complete.Where(e => e.Manifest!.Proven).Take(1)))
                Assert.DoesNotContain(kept, plan.Remove);
            // What was found bad is kept by no rule, and takes the place of no good one.
            var without = PrunePlan.Of(entries.Where(e => e.State != BackupState.FoundBad).ToList(), Rules() with { KeepHourly = hourly, KeepDaily = daily, KeepYearly = yearly + 1, KeepAtLeast = least, MaxRemoved = 10_000 }, Noon);
            Assert.Equal(without.Keep, plan.Keep.Where(e => e.State != BackupState.FoundBad));
            Assert.All(plan.Keep.Where(e => e.State == BackupState.FoundBad), e => Assert.True(Noon - e.Manifest!.Proofs[^1].At < Rules().RejectedAfter));
            // Done again on what is left, it removes nothing more.
            Assert.Empty(PrunePlan.Of(plan.Keep.OrderByDescending(e => e.Manifest!.RecoveryPoint).ToList(), Rules() with { KeepHourly = hourly, KeepDaily = daily, KeepYearly = yearly + 1, KeepAtLeast = least }, Noon).Remove);
        });
    }

    [Fact]
    public void S3_19_a_partial_backup_after_the_newest_complete_one_lets_nothing_be_removed()
    {
        var plan = PrunePlan.Of([Entry("partial", Noon, state: BackupState.Partial), .. Enumerable.Range(1, 9).Select(d => Entry($"b{d}", Noon.AddDays(-d)))], Rules() with { KeepDaily = 2, KeepAtLeast = 1 }, Noon);
        Assert.Contains("redis/partial came after the newest complete one", plan.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void PM_07_without_a_rule_or_beyond_the_cap_nothing_goes()
    {
        var entries = Enumerable.Range(0, 30).Select(d => Entry($"b{d}", Noon.AddDays(-d))).ToList();
        Assert.Throws<RunbookException>(() => PrunePlan.Of(entries, Rules(), Noon));
        Assert.Contains("27 backups would go, and maxRemoved is 10", PrunePlan.Of(entries, Rules() with { KeepDaily = 3, MaxRemoved = 10 }, Noon).Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Rejected_and_partial_ones_wait_and_what_nobody_understands_is_left_alone()
    {
        var plan = PrunePlan.Of(
            [
                Entry("good", Noon), Entry("rejected-now", Noon.AddDays(-1), state: BackupState.Rejected),
                Entry("partial-old", Noon.AddDays(-40), state: BackupState.Partial),
                new("redis/unfinished", BackupState.Unfinished, 10, null, "it has no manifest"),
                new("redis/damaged", BackupState.Damaged, 10, null, "its manifest cannot be read"),
            ],
            Rules() with { KeepDaily = 1 }, Noon);
        Assert.Equal(["redis/partial-old"], plan.Remove.Select(e => e.Key));
    }

    [Fact]
    public void What_a_restore_found_bad_keeps_no_good_one_from_being_kept_and_goes_like_a_rejected_one()
    {
        var plan = PrunePlan.Of(
            [
                Entry("bad-now", Noon, state: BackupState.FoundBad), Entry("good", Noon.AddHours(-1)), Entry("older", Noon.AddDays(-1)),
                Entry("bad-old", Noon.AddDays(-40), state: BackupState.FoundBad), Entry("bad-gone", Noon.AddDays(-41), state: BackupState.FoundBad) with { State = BackupState.Damaged, StoredSize = null },
            ],
            Rules() with { KeepDaily = 2, KeepAtLeast = 2 }, Noon);
        Assert.Null(plan.Refusal);
        Assert.Equal(["redis/bad-old", "redis/bad-gone"], plan.Remove.Select(e => e.Key));
        Assert.Contains(plan.Table, l => l.Contains("redis/good", StringComparison.Ordinal) && l.EndsWith("newest, daily 2026-03-01", StringComparison.Ordinal));
        Assert.Contains(plan.Table, l => l.Contains("redis/bad-now", StringComparison.Ordinal) && l.EndsWith("it is FoundBad; not yet 30d ago", StringComparison.Ordinal));
    }

    [Fact]
    public void A_manifest_that_a_prune_which_was_cut_off_left_goes_when_no_rule_would_keep_it()
    {
        BackupEntry Left(int days) => Entry($"left-{days}", Noon.AddDays(-days), state: BackupState.Damaged) with { StoredSize = null };
        var plan = PrunePlan.Of(
            [Entry("a", Noon), Left(1), Entry("b", Noon.AddDays(-2)), Entry("c", Noon.AddDays(-3)), Left(9), Entry("d", Noon.AddDays(-9).AddHours(-1))],
            Rules() with { KeepDaily = 3, KeepAtLeast = 1 }, Noon);
        Assert.Null(plan.Refusal);
        Assert.Equal(["redis/left-9", "redis/d"], plan.Remove.Select(e => e.Key));
    }

    static BackupPruneOptions Rules() => new() { Target = "s3", Prefix = "redis/" };

    static BackupEntry Entry(string name, DateTimeOffset at, bool proven = false, BackupState state = BackupState.Complete) => new("redis/" + name, state, 10, new BackupManifest
    {
        Key = "redis/" + name,
        Kind = "x",
        RecoveryPoint = at,
        MadeAt = at,
        Content = new(10, "a"),
        Stored = new(10, "a"),
        Proofs = state == BackupState.FoundBad || proven ? [new() { At = at, Passed = state != BackupState.FoundBad, Run = "r" }] : [],
        Rejected = state == BackupState.Rejected ? new(at, "alice", "bad") : null,
        Partial = state == BackupState.Partial,
    }, state == BackupState.Complete ? null : "it is " + state);
}
