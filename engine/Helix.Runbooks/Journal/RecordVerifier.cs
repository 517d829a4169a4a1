using System.Text.Json;

namespace Helix.Runbooks.Journal;

/// <summary>Checks an exported record (JSON lines) without a store.</summary>
public static class RecordVerifier
{
    /// <returns>Empty: sound. A file can be cut off at its end unnoticed unless a head kept elsewhere is given.</returns>
    public static IReadOnlyList<string> Verify(TextReader record, string? head = null)
    {
        ChainCheck? check = null;
        string? run = null;
        var number = 0;
        while (record.ReadLine() is { } line)
        {
            number++;
            if (line.Length == 0)
                continue;
            if (RecordLine.Read(line) is not var (lineRun, raw))
                return [$"Line {number} is no entry of a record."];
            if (run is not null && run != lineRun)
                return [$"Line {number} is of run {lineRun}, the lines before are of run {run}."];
            check ??= new ChainCheck(run = lineRun, head);
            check.Take(raw);
            if (!check.Sound)
                return check.Faults;
        }
        check?.End();
        return check?.Faults ?? ["The record is empty."];
    }
}

/// <summary>One entry as a line of an exported record; the stored bytes of the event stand in it as they are.</summary>
static class RecordLine
{
    public static string Of(string run, RawEntry e) =>
        $"{{\"run\":{JsonSerializer.Serialize(run, Chain.Options)},\"sequence\":{e.Sequence},\"at\":\"{e.At}\",\"epoch\":{e.Epoch}"
        + (e.By is null ? "" : $",\"by\":{e.By}") + $",\"event\":{e.Event},\"hash\":\"{e.Hash}\"}}";

    /// <summary>Null when the line is something else.</summary>
    public static (string Run, RawEntry Entry)? Read(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var e = document.RootElement;
            return (e.GetProperty("run").GetString()!, new RawEntry(
                e.GetProperty("sequence").GetInt64(), e.GetProperty("at").GetString()!, e.GetProperty("epoch").GetInt64(),
                e.TryGetProperty("by", out var by) ? Compact(by) : null, Compact(e.GetProperty("event")), e.GetProperty("hash").GetString()!));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    // White space that another tool put in is no change of the record.
    static string Compact(JsonElement element) => JsonSerializer.Serialize(element, Chain.Options);
}
