using System.Text.Json;
using System.Text.Json.Serialization;

namespace Helix.Runbooks.Steps;

/// <summary>A reference to a secret value, or several tried in order: <c>env:NAME</c>, <c>file:/path</c>, <c>vault:target/path#field</c>. Never the value.</summary>
[JsonConverter(typeof(SecretConverter))]
public sealed record Secret(IReadOnlyList<string> References)
{
    static readonly string[] Schemes = ["env:", "file:", "vault:"];

    public override string ToString() => "***";

    /// <summary>Null when the text is a reference; else what is wrong with it, without repeating a value that may be secret.</summary>
    public static string? Fault(string text) =>
        Schemes.Any(s => text.StartsWith(s, StringComparison.Ordinal) && text.Length > s.Length)
            ? null
            : "A secret is a reference, never the value: env:NAME, file:/path or vault:target/path#field.";

    public bool Equals(Secret? other) => other is not null && References.SequenceEqual(other.References);
    public override int GetHashCode() => References.Aggregate(0, HashCode.Combine);
}

sealed class SecretConverter : JsonConverter<Secret>
{
    public override Secret Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var list = new List<string>();
        if (reader.TokenType == JsonTokenType.String)
            list.Add(Checked(reader.GetString()!));
        else if (reader.TokenType == JsonTokenType.StartArray)
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                list.Add(reader.TokenType == JsonTokenType.String ? Checked(reader.GetString()!) : throw new JsonException("A secret is a reference in text form."));
        return list.Count > 0 ? new Secret(list) : throw new JsonException("A secret is a reference or a list of references.");
    }

    public override void Write(Utf8JsonWriter writer, Secret value, JsonSerializerOptions options)
    {
        if (value.References.Count == 1)
        {
            writer.WriteStringValue(value.References[0]);
            return;
        }
        writer.WriteStartArray();
        foreach (var reference in value.References)
            writer.WriteStringValue(reference);
        writer.WriteEndArray();
    }

    static string Checked(string text) => Secret.Fault(text) is { } fault ? throw new JsonException(fault) : text;
}
