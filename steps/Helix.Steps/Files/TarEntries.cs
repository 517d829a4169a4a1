using System.Formats.Tar;

namespace Helix.Steps.Files;

/// <summary>The entries of a tar stream that may be cut off, damaged, or no tar stream.</summary>
static class TarEntries
{
    /// <returns>Null at its end.</returns>
    /// <exception cref="InvalidDataException">Whatever the reader stumbled over; it throws five kinds for that, of which it documents two.</exception>
    public static async ValueTask<TarEntry?> Next(this TarReader reader, CancellationToken cancelled)
    {
        try
        {
            return await reader.GetNextEntryAsync(copyData: false, cancelled);
        }
        catch (Exception e) when (e is EndOfStreamException or FormatException or OverflowException or InvalidOperationException or ArgumentException)
        {
            throw new InvalidDataException(e.Message, e);
        }
    }
}
