using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Triggers;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;
using Microsoft.AspNetCore.Http;

namespace Helix.Server.Triggers;

/// <summary>One thing that a hook was told: an alert, or the body of a signed call.</summary>
sealed record Call
{
    /// <summary>alert or body, as expressions name it.</summary>
    public required string Name { get; init; }
    public required JsonNode? Value { get; init; }

    /// <summary>For people.</summary>
    public required string Words { get; init; }

    /// <summary>What is the same when it is delivered again.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>Tells two episodes of one fingerprint apart.</summary>
    public required string Episode { get; init; }
    public DateTimeOffset? Began { get; init; }
    public bool Resolved { get; init; }

    ExpressionScope Scope => new() { Loop = new Dictionary<string, JsonNode?> { [Name] = Value } };

    /// <exception cref="RunbookException">The condition has no value.</exception>
    public bool Fits(Trigger trigger) =>
        trigger.Match.All(m => (Value as JsonObject)?["labels"]?[m.Key]?.ToString() == m.Value) && (trigger.When is not { } when || TemplateEvaluator.EvaluateCondition(when, Scope));

    /// <exception cref="RunbookException">It lacks something that an input needs.</exception>
    public JsonObject Inputs(Trigger trigger) => TemplateEvaluator.Resolve((JsonObject)trigger.Inputs.DeepClone(), Scope, null, path => trigger.Places.GetValueOrDefault(path, trigger.Position));

    public string FingerprintFor(Trigger trigger) => trigger.Same is { } same ? TemplateEvaluator.Evaluate(same, Scope).ToString() : Fingerprint;

    /// <summary>The webhook of Alertmanager, version 4: one call for each alert.</summary>
    /// <exception cref="BadHttpRequestException">It is none.</exception>
    public static (IReadOnlyList<Call> Calls, int LeftOut) OfAlertmanager(byte[] body, int most)
    {
        if (Parsed(body) is not JsonObject { } payload || Text(payload["version"]) != "4" || payload["alerts"] is not JsonArray alerts)
            throw new BadHttpRequestException("This is no message of Alertmanager in its version 4: an object with version and alerts.");
        var left = Math.Max(0, alerts.Count - most) + (payload["truncatedAlerts"] is JsonValue cut && cut.TryGetValue<int>(out var n) ? n : 0);
        return ([.. alerts.Take(most).Select(a => OfAlert(a as JsonObject ?? throw new BadHttpRequestException("An alert is no object.")))], left);
    }

    static Call OfAlert(JsonObject alert)
    {
        var status = Text(alert["status"]);
        if (alert["labels"] is not JsonObject labels || status is not ("firing" or "resolved") || Moment(alert["startsAt"]) is not { } began)
            throw new BadHttpRequestException("An alert lacks its status, its labels or when it began.");
        var fingerprint = Text(alert["fingerprint"]) ?? Hash(string.Join('\n', labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}")));
        return new Call
        {
            Name = "alert",
            Value = new JsonObject
            {
                ["labels"] = labels.DeepClone(),
                ["annotations"] = (alert["annotations"] as JsonObject)?.DeepClone() ?? new JsonObject(),
                ["startsAt"] = Text(alert["startsAt"]),
                ["fingerprint"] = fingerprint,
                ["generatorURL"] = Text(alert["generatorURL"]) ?? "",
            },
            Words = Short(Text(alert["annotations"]?["summary"]) is { } summary ? $"{labels["alertname"]}: {summary}" : string.Join(", ", labels.Select(l => $"{l.Key} {l.Value}"))),
            Fingerprint = fingerprint,
            Episode = began.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
            Began = began,
            Resolved = status == "resolved",
        };
    }

    public static Call OfBody(byte[] body, string timestamp) => new()
    {
        Name = "body",
        Value = Parsed(body) ?? throw new BadHttpRequestException("The body is no JSON."),
        Words = Short(Encoding.UTF8.GetString(body)),
        Fingerprint = Convert.ToHexStringLower(SHA256.HashData(body)),
        Episode = timestamp,
    };

    static JsonNode? Parsed(byte[] body)
    {
        try
        {
            return JsonNode.Parse(body, documentOptions: new JsonDocumentOptions { MaxDepth = 32, AllowDuplicateProperties = false });
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0 ? text : null;
    static DateTimeOffset? Moment(JsonNode? node) => DateTimeOffset.TryParse(Text(node), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;
    static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
    static string Short(string text) => text.ReplaceLineEndings(" ") is { Length: > 300 } t ? t[..300] + "…" : text.ReplaceLineEndings(" ");
}
