using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Journal;

/// <summary>An entry as its bytes: what is hashed, stored and exported.</summary>
sealed record RawEntry(long Sequence, string At, long Epoch, string? By, string Event, string Hash)
{
    public JournalEntry Read(string run) => new()
    {
        Sequence = Sequence,
        At = Chain.Time(At),
        Epoch = Epoch,
        By = By is null ? null : JsonSerializer.Deserialize<Person>(By, Chain.Options),
        Event = ReadEvent(run),
        Hash = Hash,
    };

    RunEvent ReadEvent(string run)
    {
        try
        {
            return JsonSerializer.Deserialize<RunEvent>(Event, Chain.Options)!;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new RunbookException($"Entry {Sequence} of run {run} cannot be read: {e.Message}",
                $"Was it written by a newer version of helix? `helix verify-record {run}` says if it was changed.");
        }
    }
}

/// <summary>The hash chain of a run: SHA-256 over the previous hash and the fields, each on a line of its own.</summary>
static class Chain
{
    /// <summary>As for steps, but lenient to what a later version adds, absent is null, and times are whole: what is read back is what was written.</summary>
    public static JsonSerializerOptions Options { get; } = Make();

    static JsonSerializerOptions Make()
    {
        var options = new JsonSerializerOptions(StepJson.Options)
        {
            AllowOutOfOrderMetadataProperties = true,
            UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Skip,
            RespectRequiredConstructorParameters = false,
        };
        options.Converters.Remove(options.Converters.First(c => c is MomentConverter));
        return options;
    }

    /// <summary>What the first entry has as its previous hash: binds the chain to its run.</summary>
    public static string Root(string run) => Hash($"helix-run\n{run}");

    public static RawEntry Link(string previous, long sequence, DateTimeOffset at, long epoch, Person? by, RunEvent happened)
    {
        var raw = new RawEntry(sequence, Text(at), epoch, by is null ? null : JsonSerializer.Serialize(by, Options), JsonSerializer.Serialize(happened, Options), "");
        return raw with { Hash = HashOf(previous, raw) };
    }

    public static string HashOf(string previous, RawEntry e) => Hash($"{previous}\n{e.Sequence}\n{e.At}\n{e.Epoch}\n{e.By}\n{e.Event}");

    public static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    public static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);

    public static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
}
