using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

/// <summary>The rows of an answer.</summary>
sealed record Answer(IReadOnlyList<string> Columns, IReadOnlyList<JsonArray> Rows)
{
    const int MostBytes = 64 << 20;

    /// <summary>Each row by the names of its columns.</summary>
    public IEnumerable<JsonObject> Objects => Rows.Select(row => new JsonObject(Columns.Zip(row, (name, value) => KeyValuePair.Create(name, value?.DeepClone()))));

    /// <summary>The body as JSON; null when it is empty, and a text when it is something else.</summary>
    public static async Task<JsonNode?> Json(HttpResponseMessage response, string server, CancellationToken cancelled)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancelled);
        using var kept = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = await stream.ReadAsync(buffer, cancelled)) > 0;)
        {
            kept.Write(buffer, 0, read);
            if (kept.Length > MostBytes)
                throw StepFailedException.InvalidData($"{server} answered with more than {ByteSize.Words(MostBytes)}.", "Ask for less at once, or page by page with 'page'.");
        }
        try
        {
            return kept.Length == 0 ? null : JsonNode.Parse(kept.GetBuffer().AsSpan(0, (int)kept.Length));
        }
        catch (JsonException e) when (response.IsSuccessStatusCode && response.Content.Headers.ContentType?.MediaType?.Contains("json", StringComparison.Ordinal) == true)
        {
            throw new StepFailedException(FailureClass.Transient, $"{server} broke off in the middle of its answer.", null, e);
        }
        catch (JsonException)
        {
            return JsonValue.Create("no JSON");
        }
    }
}
