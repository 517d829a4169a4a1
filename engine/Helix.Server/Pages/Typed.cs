using System.Text.Json.Nodes;
using Microsoft.Extensions.Primitives;

namespace Helix.Server.Pages;

/// <summary>A form as it was sent, so that it can be shown again: nobody types twice what a plan or a refusal interrupts.</summary>
public sealed class Typed(IEnumerable<KeyValuePair<string, StringValues>> form)
{
    public static readonly Typed Nothing = new([]);

    readonly Dictionary<string, StringValues> _form = new(form);

    /// <summary>Null: the form had no such field. Of two fields of one name the last that is filled counts: it stands behind the choice that it corrects.</summary>
    public string? this[string field] => _form.TryGetValue(field, out var sent) ? sent.LastOrDefault(v => !string.IsNullOrEmpty(v)) ?? "" : null;

    public bool Ticked(string field, string value) => _form.TryGetValue(field, out var sent) && sent.Contains(value);

    /// <summary>One of the fields whose names begin so is filled.</summary>
    public bool Filled(params string[] beginnings) => beginnings.Any(b => Named(b).Count > 0);

    /// <summary>What is filled in fields whose names begin so, by the rest of their names.</summary>
    public JsonObject Named(string beginning) => new(_form.Keys
        .Where(f => f.StartsWith(beginning, StringComparison.Ordinal) && this[f] is { Length: > 0 })
        .Select(f => KeyValuePair.Create(f[beginning.Length..], (JsonNode?)this[f])));
}
