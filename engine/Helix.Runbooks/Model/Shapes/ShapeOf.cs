using System.Collections.Concurrent;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Shapes;

/// <summary>C# type → shape, over the same serializer options that bind the value.</summary>
static class ShapeOf
{
    static readonly ConcurrentDictionary<Type, Shape> Known = [];

    public static RecordShape Record(Type type) => (RecordShape)Type(type);

    public static Shape Type(Type type) => Known.GetOrAdd(type, static t => Make(t));

    static Shape Make(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string) || type == typeof(char))
            return Shape.Text;
        if (type == typeof(bool))
            return Shape.Boolean;
        if (type == typeof(int) || type == typeof(long) || type == typeof(short) || type == typeof(byte) || type == typeof(uint) || type == typeof(ulong))
            return Shape.Integer;
        if (type == typeof(double) || type == typeof(float) || type == typeof(decimal))
            return Shape.Number;
        if (type == typeof(Secret))
            return Shape.Secret;
        if (type.IsEnum)
            return new EnumShape([.. Enum.GetValues(type).Cast<object>().Select(v => JsonSerializer.SerializeToNode(v, type, StepJson.Options)!.GetValue<string>())]);
        return Form(type) ?? Composite(type);
    }

    static Shape Composite(Type type)
    {
        if (type == typeof(object) || type.IsAssignableTo(typeof(JsonNode)) || type == typeof(JsonElement) || type.GetCustomAttribute<JsonConverterAttribute>() is not null)
            return Shape.Any;
        if (type.GetCustomAttribute<BlockAttribute>() is { } block)
            return new BlockShape(block.Kind);
        var info = StepJson.Options.GetTypeInfo(type);
        return info.Kind switch
        {
            JsonTypeInfoKind.Enumerable => new ListShape(Type(info.ElementType!)),
            JsonTypeInfoKind.Dictionary => new MapShape(Type(info.ElementType!)),
            JsonTypeInfoKind.Object => Record(info),
            _ => Shape.Any,
        };
    }

    static RecordShape Record(JsonTypeInfo info) => new(info.Type.Name)
    {
        Type = info.Type,
        Open = info.Properties.Any(p => p.IsExtensionData),
        ShortFor = info.Type.GetCustomAttribute<ShortForAttribute>()?.Member,
        Lazily = new(() => Members(info)),
    };

    static Dictionary<string, Member> Members(JsonTypeInfo info)
    {
        var defaults = DefaultsOf(info.Type);
        return info.Properties
            .Where(p => !p.IsExtensionData && p.AttributeProvider is PropertyInfo property && Settable(property))
            .OrderBy(p => Rank((PropertyInfo)p.AttributeProvider!))
            .Select(p => MemberOf(p, (PropertyInfo)p.AttributeProvider!, defaults))
            .ToDictionary(m => m.Name, StringComparer.Ordinal);
    }

    /// <summary>The members of a base record come last: they are the same everywhere.</summary>
    static int Rank(PropertyInfo property) => property.DeclaringType == property.ReflectedType ? 0 : 1;

    static bool Settable(PropertyInfo property) =>
        property.SetMethod is not null && property.GetCustomAttribute<JsonIgnoreAttribute>(inherit: true)?.Condition is null;

    static Member MemberOf(JsonPropertyInfo json, PropertyInfo property, object? defaults)
    {
        var required = json.IsRequired || property.GetCustomAttribute<RequiredAttribute>() is not null;
        var range = property.GetCustomAttribute<RangeAttribute>();
        var length = property.GetCustomAttribute<StringLengthAttribute>();
        return new Member(json.Name, json.CustomConverter is null ? Type(json.PropertyType) : Shape.Any)
        {
            Required = required,
            Nullable = json.IsGetNullable && !json.PropertyType.IsValueType || Nullable.GetUnderlyingType(json.PropertyType) is not null,
            Description = property.GetCustomAttribute<DescriptionAttribute>(inherit: true)?.Description,
            Example = property.GetCustomAttribute<ExampleAttribute>(inherit: true)?.Yaml,
            Default = required || defaults is null || property.GetMethod is null ? null : DefaultOf(property, defaults),
            TargetKinds = property.GetCustomAttribute<TargetNameAttribute>(inherit: true)?.Kinds,
            Fixed = property.GetCustomAttribute<FixedAttribute>(inherit: true) is not null,
            NoTemplate = property.GetCustomAttribute<NoTemplateAttribute>(inherit: true) is not null,
            FilePath = property.GetCustomAttribute<FilePathAttribute>(inherit: true) is not null,
            Minimum = Bound(range?.Minimum),
            Maximum = Bound(range?.Maximum),
            MinLength = property.GetCustomAttribute<MinLengthAttribute>()?.Length ?? (length is { MinimumLength: > 0 } ? length.MinimumLength : null),
            MaxLength = property.GetCustomAttribute<MaxLengthAttribute>()?.Length ?? length?.MaximumLength,
            Pattern = property.GetCustomAttribute<RegularExpressionAttribute>()?.Pattern,
            Rules = MemberRules.Of(property),
        };
    }

    static double? Bound(object? value) => value switch
    {
        int i => i,
        double d => d,
        _ => null,
    };

    static object? DefaultsOf(Type type)
    {
        if (type.IsAbstract || type.GetConstructor(System.Type.EmptyTypes) is null)
            return null;
        return Activator.CreateInstance(type);
    }

    static JsonNode? DefaultOf(PropertyInfo property, object defaults) =>
        property.GetValue(defaults) is { } value ? JsonSerializer.SerializeToNode(value, property.PropertyType, StepJson.Options) : null;

    static Shape? Form(Type type)
    {
        if (type == typeof(DateTimeOffset) || type == typeof(DateTime))
            return new FormShape(type, "a time such as 2026-03-01T02:00:00Z", TimePattern, Binds(type), "2026-03-01T02:00:00Z");
        if (type == typeof(Uri))
            return new FormShape(type, "an address such as https://host/path", null, t => Uri.TryCreate(t, UriKind.Absolute, out _), "https://host/path");
        if (type == typeof(TimeSpan) || type == typeof(Guid) || type == typeof(DateOnly) || type == typeof(TimeOnly))
            return new FormShape(type, $"a {type.Name} in text form", null, Binds(type), "");
        return type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(ITextValue<>))
            ? (Shape)typeof(ShapeOf).GetMethod(nameof(TextValue), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type).Invoke(null, null)!
            : null;
    }

    const string TimePattern = @"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,7})?)?(Z|[+-]\d{2}:\d{2})$";

    static FormShape TextValue<T>() where T : ITextValue<T>
    {
        var pattern = typeof(T).GetField("Pattern", BindingFlags.Public | BindingFlags.Static)?.GetValue(null) as string;
        return new FormShape(typeof(T), T.Form, pattern, t => T.TryParse(t, out _), SampleIn<T>(T.Form));
    }

    /// <summary>The form names examples; the first word of it that fits is one.</summary>
    static string SampleIn<T>(string form) where T : ITextValue<T> =>
        form.Split([' ', ',', '"'], StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(w => T.TryParse(w, out _)) ?? "";

    static Func<string, bool> Binds(Type type) => text =>
    {
        try
        {
            return (type != typeof(DateTimeOffset) || System.Text.RegularExpressions.Regex.IsMatch(text, TimePattern))
                && JsonValue.Create(text).Deserialize(type, StepJson.Options) is not null;
        }
        catch (JsonException)
        {
            return false;
        }
    };
}
