using Helix.Runbooks.Steps;

namespace Helix.Steps.Backups;

/// <summary>How an object is cut into at most 10,000 parts (S3-05), and how many of them may be in memory at once.</summary>
sealed record PartSizes
{
    const int MostParts = 10_000;
    const long LargestObject = 5L << 40, MostMemory = 72 << 20, MostOfOne = 24 << 20, MiB = 1 << 20;

    /// <summary>S3 takes no smaller part but the last, and says so only at the end; a larger one takes long to send again.</summary>
    public const long Smallest = 5 << 20, Largest = 1 << 30;

    readonly long _first;
    readonly bool _grows;

    /// <param name="smallest">The size of a part unless the object needs larger ones.</param>
    /// <param name="largestSize">No more bytes than this will be stored; null: nobody knows, and parts grow as they go on.</param>
    /// <param name="shrinks">It may well be far fewer: then too many are refused when they come.</param>
    /// <exception cref="RunbookException">Larger than an object may be; said before anything is sent.</exception>
    public PartSizes(long smallest, long? largestSize, bool shrinks = false)
    {
        if (largestSize > LargestObject && !shrinks)
            throw new RunbookException($"An object holds at most {ByteSize.Words(LargestObject)}, and this one could have {ByteSize.Words(largestSize.Value)}.", "Split it, or use a target of kind directory.");
        _first = Math.Max(smallest, RoundUp(Math.Min(largestSize ?? 0, LargestObject) / (MostParts - 100)));
        _grows = largestSize is null;
    }

    /// <param name="number">From 1.</param>
    public long Of(int number) => Math.Min(Largest, !_grows || number <= 5_000 ? _first : number <= 7_500 ? _first * 8 : _first * 64);

    /// <summary>Buffers in flight beside the one that is filled, so that all of them stay within 72 MiB of memory. Those on disk are as many as are wanted.</summary>
    public int Parallel(int wanted, int number) => IsSpooled(Of(number)) ? wanted : (int)Math.Clamp(MostMemory / Of(number) - 1, 1, wanted);

    /// <summary>Such a part lies on disk until it is sent.</summary>
    public static bool IsSpooled(long size) => size > MostOfOne;

    /// <exception cref="StepFailedException">Invalid data: what was compressed is still larger than an object may be.</exception>
    public static void RefuseTooLarge(string key, long stored)
    {
        if (stored > LargestObject)
            throw StepFailedException.InvalidData($"{key} would be larger than the {ByteSize.Words(LargestObject)} that an object holds.", "Split it, or use a target of kind directory.");
    }

    public static bool IsTooMany(int number) => number > MostParts;

    static long RoundUp(long bytes) => (bytes + MiB - 1) / MiB * MiB;
}
