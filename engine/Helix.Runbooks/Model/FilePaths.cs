using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Shapes;

namespace Helix.Runbooks.Model;

/// <summary>Relative paths in an environment start at the folder of its file.</summary>
static class FilePaths
{
    public static JsonObject MakeAbsolute(JsonObject json, RecordShape shape, string folder)
    {
        var result = new JsonObject();
        foreach (var (name, value) in json)
            result[name] = shape.Members.TryGetValue(name, out var member) && value is not null ? Value(value, member.Shape, member.FilePath, folder) : value?.DeepClone();
        return result;
    }

    static JsonNode Value(JsonNode value, Shape shape, bool isPath, string folder) => (value, shape) switch
    {
        (JsonObject map, RecordShape record) => MakeAbsolute(map, record, folder),
        (JsonArray list, ListShape of) => new JsonArray([.. list.Select(item => item is null ? null : Value(item, of.Element, isPath, folder))]),
        (JsonArray list, SecretShape) => new JsonArray([.. list.Select(item => Value(item!, shape, isPath, folder))]),
        (JsonValue, TextShape) when isPath && value.ToString() is { Length: > 0 } path && path[0] != '~' => JsonValue.Create(Path.GetFullPath(path, folder)),
        (JsonValue, SecretShape) when value.ToString() is var reference && reference.StartsWith("file:", StringComparison.Ordinal) =>
            JsonValue.Create("file:" + Path.GetFullPath(reference["file:".Length..], folder)),
        _ => value.DeepClone(),
    };
}
