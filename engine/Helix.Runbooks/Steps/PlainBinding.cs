using System.Collections;
using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Helix.Runbooks.Steps;

/// <summary>
/// Binds JSON to records of plain members, as the serializer would, without the hundred milliseconds in which that warms up.
/// It never says what is wrong: whatever it does not know or does not like is left to the serializer, value or error.
/// </summary>
static class PlainBinding
{
    delegate bool Reader(JsonNode node, out object? value);

    static readonly ConcurrentDictionary<Type, Reader> Known = [];

    /// <returns>False: ask the serializer.</returns>
    public static bool TryBind(JsonNode node, Type type, out object? value) => For(type)(node, out value);

    static Reader For(Type type) => Known.GetOrAdd(type, Make);

    static Reader Make(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string))
            return (JsonNode node, out object? value) => (value = TextOf(node)) is not null;
        if (type == typeof(bool))
            return Flag;
        if (type == typeof(int))
            return Int;
        if (type == typeof(long))
            return Long;
        if (type == typeof(double))
            return Double;
        if (type.IsEnum)
            return (JsonNode node, out object? value) => (value = TextOf(node) is { } text ? EnumNames.Of(type).GetValueOrDefault(text) : null) is not null;
        if (type == typeof(Secret))
            return SecretReference;
        if (type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(ITextValue<>)))
            return TextValue(type);
        return Collection(type) ?? Plain(type) ?? Unknown;
    }

    static bool Unknown(JsonNode node, out object? value) => Boxed(false, null, out value);

    static bool Boxed(bool fits, object? what, out object? value)
    {
        value = fits ? what : null;
        return fits;
    }

    static string? TextOf(JsonNode node) => node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;

    static bool Flag(JsonNode node, out object? value) =>
        Boxed(node.GetValueKind() is JsonValueKind.True or JsonValueKind.False, node.GetValueKind() == JsonValueKind.True, out value);

    static bool Int(JsonNode node, out object? value) => Boxed(int.TryParse(NumberOf(node), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n), n, out value);
    static bool Long(JsonNode node, out object? value) => Boxed(long.TryParse(NumberOf(node), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n), n, out value);
    static bool Double(JsonNode node, out object? value) => Boxed(double.TryParse(NumberOf(node), NumberStyles.Float, CultureInfo.InvariantCulture, out var n), n, out value);
    static string? NumberOf(JsonNode node) => node.GetValueKind() == JsonValueKind.Number ? node.ToJsonString() : null;

    static bool SecretReference(JsonNode node, out object? value)
    {
        var references = node is JsonArray list ? [.. list.Select(n => n is null ? null : TextOf(n))] : new List<string?> { TextOf(node) };
        return Boxed(references.Count > 0 && references.All(r => r is not null && Secret.Fault(r) is null), new Secret(references!), out value);
    }

    static Reader TextValue(Type type)
    {
        var parse = type.GetMethod(nameof(ITextValue<>.TryParse), [typeof(string), type.MakeByRefType()])!;
        return (JsonNode node, out object? value) =>
        {
            object?[] arguments = [TextOf(node), null];
            return Boxed(arguments[0] is not null && (bool)parse.Invoke(null, arguments)!, arguments[1], out value);
        };
    }

    static Reader? Collection(Type type)
    {
        if (!type.IsGenericType)
            return null;
        var arguments = type.GetGenericArguments();
        if (type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
            return (JsonNode node, out object? value) => List(node, typeof(List<>).MakeGenericType(arguments), arguments[0], out value);
        if (type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>) && arguments[0] == typeof(string))
            return (JsonNode node, out object? value) => Map(node, typeof(Dictionary<,>).MakeGenericType(arguments), arguments[1], out value);
        return null;
    }

    static bool List(JsonNode node, Type made, Type element, out object? value)
    {
        var list = (IList)Activator.CreateInstance(made)!;
        value = list;
        if (node is not JsonArray items)
            return false;
        foreach (var item in items)
            if (item is null || !TryBind(item, element, out var bound))
                return false;
            else
                list.Add(bound);
        return true;
    }

    static bool Map(JsonNode node, Type made, Type element, out object? value)
    {
        var map = (IDictionary)Activator.CreateInstance(made)!;
        value = map;
        if (node is not JsonObject items)
            return false;
        foreach (var (name, item) in items)
            if (item is null || !TryBind(item, element, out var bound))
                return false;
            else
                map[name] = bound;
        return true;
    }

    /// <summary>Records whose members are set by name, and nothing else: no converter, no constructor that wants values, no members beyond.</summary>
    static Reader? Plain(Type type)
    {
        if (!type.IsClass || type.IsAbstract || type.IsDefined(typeof(JsonConverterAttribute), inherit: true) || type.GetConstructor(Type.EmptyTypes) is null)
            return null;
        var members = type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.SetMethod is not null && !p.IsDefined(typeof(JsonIgnoreAttribute), inherit: true)).ToList();
        if (members.Any(p => p.IsDefined(typeof(JsonExtensionDataAttribute)) || p.IsDefined(typeof(JsonConverterAttribute)) || p.IsDefined(typeof(JsonPropertyNameAttribute))))
            return null;
        var byName = members.ToDictionary(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name), StringComparer.Ordinal);
        var required = members.Where(m => m.IsDefined(typeof(RequiredMemberAttribute))).Select(m => JsonNamingPolicy.CamelCase.ConvertName(m.Name)).ToList();
        return (JsonNode node, out object? value) => Record(node, type, byName, required, out value);
    }

    static bool Record(JsonNode node, Type type, Dictionary<string, PropertyInfo> members, List<string> required, out object? value)
    {
        value = null;
        if (node is not JsonObject json || !required.TrueForAll(json.ContainsKey))
            return false;
        value = Activator.CreateInstance(type)!;
        foreach (var (name, item) in json)
        {
            if (item is null || !members.TryGetValue(name, out var member) || !TryBind(item, member.PropertyType, out var bound))
                return false;
            member.SetValue(value, bound);
        }
        return true;
    }
}
