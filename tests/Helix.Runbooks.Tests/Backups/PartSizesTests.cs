using CsCheck;
using Helix.Runbooks.Steps;
using Helix.Steps.Backups;

namespace Helix.Runbooks.Tests.Backups;

public sealed class PartSizesTests
{
    const long MiB = 1 << 20, GB = 1_000_000_000;

    [Theory]
    [InlineData(1)]
    [InlineData(60 * GB)]
    [InlineData(1_000 * GB)]
    [InlineData(5_000 * GB)]
    public void S3_05_ten_thousand_parts_are_enough_for_any_size(long size)
    {
        var sizes = new PartSizes(8 * MiB, size);
        Assert.True(sizes.Of(1) * 10_000 > size);
        Assert.True(sizes.Of(1) <= 5L << 30);
        Assert.True(InMemory(sizes, 1) <= 72 * MiB);
    }

    [Fact]
    public void S3_05_parts_of_an_unknown_length_grow()
    {
        var sizes = new PartSizes(8 * MiB, null);
        Assert.True(Enumerable.Range(1, 10_000).Sum(sizes.Of) > 1_400 * GB);
        Assert.All(new[] { 1, 6_000, 9_000 }, n => Assert.True(InMemory(sizes, n) <= 72 * MiB));
    }

    [Fact]
    public void Whatever_the_size_of_parts_and_however_many_are_wanted_memory_stays_bounded() => (from mib in Gen.Int[5, 1024] from wanted in Gen.Int[1, 64] select (mib, wanted)).Sample(t =>
    {
        var sizes = new PartSizes(t.mib * MiB, 1);
        var parallel = sizes.Parallel(t.wanted, 1);
        return parallel >= 1 && parallel <= t.wanted && (PartSizes.IsSpooled(sizes.Of(1)) || (parallel + 1) * sizes.Of(1) <= 72 * MiB);
    });

    /// <summary>Those that are sent and the one that is filled.</summary>
    static long InMemory(PartSizes sizes, int number) => PartSizes.IsSpooled(sizes.Of(number)) ? 0 : sizes.Of(number) * (sizes.Parallel(4, number) + 1);

    [Fact]
    public void S3_05_more_than_an_object_can_hold_is_refused_before_anything_is_sent() =>
        Assert.Throws<RunbookException>(() => new PartSizes(8 * MiB, 6_000 * GB));

    [Fact]
    public void S3_05_what_may_shrink_on_the_way_is_refused_only_when_too_much_of_it_has_come()
    {
        Assert.True(new PartSizes(8 * MiB, 6_000 * GB, shrinks: true).Of(1) * 10_000 > 5L << 40);
        PartSizes.RefuseTooLarge("redis/x", 5L << 40);
        Assert.Throws<StepFailedException>(() => PartSizes.RefuseTooLarge("redis/x", (5L << 40) + 1));
    }
}
