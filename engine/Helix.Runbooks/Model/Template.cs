using System.Text.Json.Serialization;

namespace Helix.Runbooks.Model;

/// <summary>A text with <c>{{ expressions }}</c> and its place in the file. Parsed and checked by the reader; evaluated by Plans.</summary>
public sealed record Template(string Text, Position Position)
{
    public static bool Has(string text) => text.Contains("{{", StringComparison.Ordinal);
    public override string ToString() => Text;
}
