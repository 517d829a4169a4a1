using System.Collections.Concurrent;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Shapes;

/// <summary>C# type → shape. Read by reflection alone; a test holds that the serializer which binds the values sees the same members.</summary>
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
            return new EnumShape([.. EnumNames.Of(type).Keys]);
        return Form(type) ?? Composite(type);
    }

    static Shape Composite(Type type)
    {
        if (type == typeof(object) || type.IsAssignableTo(typeof(JsonNode)) || type == typeof(JsonElement) || type.GetCustomAttribute<JsonConverterAttribute>() is not null)
            return Shape.Any;
        if (type.GetCustomAttribute<BlockAttribute>() is { } block)
            return new BlockShape(block.Kind);
        if (ElementOf(type) is not { } element)
            return type.IsPrimitive ? Shape.Any : RecordOf(type);
        return element.IsGenericType && element.GetGenericTypeDefinition() == typeof(KeyValuePair<,>) && element.GetGenericArguments()[0] == typeof(string)
            ? new MapShape(Type(element.GetGenericArguments()[1]))
            : new ListShape(Type(element));
    }

    /// <summary>What an enumerable holds.</summary>
    static Type? ElementOf(Type type) => type.GetInterfaces().Append(type)
        .FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEnumerable<>))?.GetGenericArguments()[0];

    static RecordShape RecordOf(Type type)
    {
        var properties = type.GetProperties(BindingFlags.Public | BindingFlags.Instance);
        return new(type.Name)
        {
            Type = type,
            Open = properties.Any(IsRest),
            ShortFor = type.GetCustomAttribute<ShortForAttribute>()?.Member,
            Lazily = new(() => Members(type, properties)),
        };
    }

    static bool IsRest(PropertyInfo property) => property.IsDefined(typeof(JsonExtensionDataAttribute));

    static Dictionary<string, Member> Members(Type type, PropertyInfo[] properties)
    {
        var defaults = new Lazy<object?>(() => DefaultsOf(type));
        return properties
            .Where(p => !IsRest(p) && Settable(p))
            .OrderBy(Rank)
            .Select(p => MemberOf(p, Attribute.GetCustomAttributes(p, inherit: true), defaults))
            .ToDictionary(m => m.Name, StringComparer.Ordinal);
    }

    /// <summary>The members of a base record come last: they are the same everywhere.</summary>
    static int Rank(PropertyInfo property) => property.DeclaringType == property.ReflectedType ? 0 : 1;

    static bool Settable(PropertyInfo property) =>
        property.SetMethod is not null && property.GetCustomAttribute<JsonIgnoreAttribute>(inherit: true)?.Condition is null;

    static Member MemberOf(PropertyInfo property, Attribute[] attributes, Lazy<object?> defaults)
    {
        T? The<T>() where T : Attribute => attributes.OfType<T>().FirstOrDefault();
        var required = The<RequiredMemberAttribute>() is not null || The<RequiredAttribute>() is not null || IsOfConstructor(property);
        var range = The<RangeAttribute>();
        var length = The<StringLengthAttribute>();
        return new Member(JsonNamingPolicy.CamelCase.ConvertName(property.Name), The<JsonConverterAttribute>() is null ? Type(property.PropertyType) : Shape.Any)
        {
            Required = required,
            NullableLazily = new(() => IsNullable(property)),
            Description = The<DescriptionAttribute>()?.Description,
            Example = The<ExampleAttribute>()?.Yaml,
            Shown = The<ExampleAttribute>()?.Shown == true,
            DefaultLazily = new(() => required || defaults.Value is null || property.GetMethod is null ? null : DefaultOf(property, defaults.Value)),
            TargetKinds = The<TargetNameAttribute>()?.Kinds,
            Fixed = The<FixedAttribute>() is not null,
            InsteadOfTemplate = The<NoTemplateAttribute>()?.Instead,
            FilePath = The<FilePathAttribute>() is not null,
            Minimum = Bound(range?.Minimum),
            Maximum = Bound(range?.Maximum),
            MinLength = The<MinLengthAttribute>()?.Length ?? (length is { MinimumLength: > 0 } ? length.MinimumLength : null),
            MaxLength = The<MaxLengthAttribute>()?.Length ?? length?.MaximumLength,
            Pattern = The<RegularExpressionAttribute>()?.Pattern,
            Rules = MemberRules.Of(property, attributes),
        };
    }

    /// <summary>A parameter without a default of the constructor of a positional record.</summary>
    static bool IsOfConstructor(PropertyInfo property) => property.DeclaringType!.GetConstructors() is [var only]
        && only.GetParameters().FirstOrDefault(p => p.Name == property.Name) is { HasDefaultValue: false };

    static bool IsNullable(PropertyInfo property) => property.PropertyType.IsValueType
        ? Nullable.GetUnderlyingType(property.PropertyType) is not null
        : property.GetMethod is not null && new NullabilityInfoContext().Create(property).ReadState != NullabilityState.NotNull;

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
