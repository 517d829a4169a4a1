using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Expressions;

namespace Helix.Runbooks.Model;

/// <summary>A text inside a value, and the path to it: <c>query.statements[1]</c>.</summary>
sealed record TextAt(string Path, string Text)
{
    public static List<TextAt> All(string path, JsonNode? value)
    {
        var found = new List<TextAt>();
        Collect(path, value, found);
        return found;
    }

    static void Collect(string path, JsonNode? value, List<TextAt> found)
    {
        if (value is JsonObject map)
            foreach (var (key, inner) in map)
                Collect(path.Length == 0 ? key : $"{path}.{key}", inner, found);
        else if (value is JsonArray list)
            for (var i = 0; i < list.Count; i++)
                Collect($"{path}[{i}]", list[i], found);
        else if (Values.Text(value) is { } text)
            found.Add(new(path, text));
    }
}
