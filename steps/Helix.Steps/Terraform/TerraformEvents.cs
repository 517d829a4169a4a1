using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Terraform;

/// <summary>What terraform says while it works, one JSON object per line: into the log, and kept as far as it decides.</summary>
sealed class TerraformEvents(StepContext context) : OneWayStream
{
    readonly List<byte> _line = [];
    readonly List<JsonObject> _errors = [];
    readonly SortedSet<string> _busy = new(StringComparer.Ordinal);
    int _planned;
    int _done;

    public int ExitCode { get; set; }

    /// <summary>Resources that are being created, changed or destroyed.</summary>
    public string Stage => _busy.Count > 0 ? string.Join(", ", _busy) : _done > 0 ? $"nothing after {_done} of {_planned} resources" : "no resource yet";

    public StateLock? Lock => _errors.Select(e => StateLock.In($"{e["summary"]}\n{e["detail"]}")).FirstOrDefault(l => l is not null);

    /// <summary>How many resources were added, changed and removed.</summary>
    public JsonObject Changes { get; private set; } = [];

    /// <exception cref="StepFailedException">Terraform ended with an error.</exception>
    public TerraformEvents Checked(string folder)
    {
        if (ExitCode != 1)
            return this;
        if (Lock is { } holder)
            throw holder.Failure(folder);
        var errors = string.Join(" | ", _errors.Select(Words).Distinct());
        if (errors.Contains("Saved plan is stale", StringComparison.Ordinal))
            throw StepFailedException.Conflict($"The plan for {folder} is out of date: the state was changed after it was made.", "Make a new plan, and have that approved.");
        // An error of a resource comes from its provider, which may say otherwise the next time; one without is in the text.
        var failure = _errors.Count > 0 && _errors.TrueForAll(e => e["range"] is not null && e["address"] is null) ? FailureClass.InvalidData : FailureClass.Transient;
        throw new StepFailedException(failure, $"terraform in {folder}: {(errors.Length > 0 ? errors : "it ended with exit code 1 and said nothing.")}");
    }

    static string Words(JsonObject error)
    {
        var at = error["address"] is { } address ? $"{address}: " : error["range"] is JsonObject range ? $"{range["filename"]}:{range["start"]?["line"]}: " : "";
        var detail = error["detail"]?.ToString().ReplaceLineEndings(" ").Trim() ?? "";
        return $"{at}{error["summary"]}{(detail.Length > 0 ? $". {(detail.Length <= 500 ? detail : detail[..500] + "…")}" : "")}";
    }

    public override bool CanWrite => true;

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        foreach (var b in buffer.Span)
            if (b != '\n')
                _line.Add(b);
            else
                Take(Encoding.UTF8.GetString([.. _line]));
        return ValueTask.CompletedTask;
    }

    void Take(string line)
    {
        _line.Clear();
        JsonObject? said = null;
        try
        {
            said = JsonNode.Parse(line) as JsonObject;
        }
        catch (JsonException)
        {
            // An old version, or a provider that prints: for people.
        }
        if (said is null)
        {
            context.Log(line);
            return;
        }
        foreach (var text in (said["@message"]?.ToString() ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries))
            context.Log(text);
        Keep(said["type"]?.ToString(), said);
    }

    void Keep(string? type, JsonObject said)
    {
        var address = said["hook"]?["resource"]?["addr"]?.ToString();
        switch (type)
        {
            case "diagnostic" when said["diagnostic"] is JsonObject { } diagnostic && diagnostic["severity"]?.ToString() == "error":
                _errors.Add(diagnostic);
                break;
            case "change_summary" when said["changes"] is JsonObject changes:
                Changes = changes;
                break;
            case "planned_change":
                _planned++;
                break;
            case "apply_start" when address is not null:
                _busy.Add(address);
                break;
            case "apply_complete" or "apply_errored" when address is not null:
                _busy.Remove(address);
                context.Progress(++_done, _planned, "resources");
                break;
            default:
                break;
        }
    }
}
