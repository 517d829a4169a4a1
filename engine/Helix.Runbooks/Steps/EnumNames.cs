using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Helix.Runbooks.Steps;

/// <summary>How the values of an enum are written in YAML and JSON, as the serializer of <see cref="StepJson"/> does it.</summary>
static class EnumNames
{
    static readonly ConcurrentDictionary<Type, IReadOnlyDictionary<string, object>> Known = [];

    /// <summary>Name to value, in the order of the values.</summary>
    public static IReadOnlyDictionary<string, object> Of(Type type) => Known.GetOrAdd(type, Read);

    static Dictionary<string, object> Read(Type type)
    {
        var asWritten = type.IsDefined(typeof(JsonConverterAttribute), inherit: false);
        var names = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var value in Enum.GetValues(type))
        {
            var member = value.ToString()!;
            names[type.GetField(member)!.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? (asWritten ? member : JsonNamingPolicy.KebabCaseLower.ConvertName(member))] = value;
        }
        return names;
    }
}
