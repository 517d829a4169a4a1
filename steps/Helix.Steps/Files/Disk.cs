using Helix.Runbooks.Steps;

namespace Helix.Steps.Files;

/// <summary>Says what a disk's refusal means.</summary>
static class Disk
{
    const int NoSpace = 28, Quota = 122, ReadOnly = 30, InputOutput = 5, Again = 11;

    /// <summary>Runs file work and turns what the disk says into a failure with a class.</summary>
    public static async Task<T> Guard<T>(string place, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception e) when (Meaning(place, e) is { } failure)
        {
            throw failure;
        }
    }

    public static bool IsLocked(IOException e) => (e.HResult & 0xFFFF) == Again;

    static StepFailedException? Meaning(string place, Exception e) => e switch
    {
        UnauthorizedAccessException => new(FailureClass.Auth, $"{place} refuses access: {e.Message}", "Check owner and mode.", e),
        DirectoryNotFoundException or FileNotFoundException => new(FailureClass.Missing, $"{place} is not as it was: {e.Message}", "Is its disk still mounted?", e),
        IOException => (e.HResult & 0xFFFF) switch
        {
            NoSpace or Quota => new(FailureClass.Conflict, $"The disk of {place} is full.", "Make room, then resume; nothing half-written was left behind.", e),
            ReadOnly => new(FailureClass.Auth, $"The disk of {place} is read-only.", "Has it been remounted after an error?", e),
            InputOutput => new(FailureClass.Transient, $"The disk of {place} has an input/output error.", "Look at the kernel's log.", e),
            _ => new(FailureClass.Transient, $"{place}: {e.Message}", null, e),
        },
        _ => null,
    };
}
