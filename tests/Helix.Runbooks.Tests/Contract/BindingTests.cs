using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Contract;

/// <summary>Shapes and the quick binding are made by reflection; what counts is that the serializer sees the same.</summary>
public sealed class BindingTests
{
    public static IEnumerable<TheoryDataRow<string>> Types =>
        Setting.Catalog.Steps.Keys.Concat(Setting.Catalog.TargetKinds.Keys.Select(k => "target " + k)).Select(n => new TheoryDataRow<string>(n));

    [Theory]
    [MemberData(nameof(Types))]
    public void Shapes_have_the_members_that_the_serializer_binds(string name)
    {
        var type = TypeOf(name);
        var info = StepJson.Options.GetTypeInfo(type);
        var bound = info.Properties.Where(p => p is { IsExtensionData: false, Set: not null }).ToDictionary(p => p.Name);
        var members = ShapeOf.Record(type).Members;
        Assert.Equal(bound.Keys.Order(), members.Keys.Order());
        Assert.All(members.Values.Where(m => bound[m.Name].IsRequired), m => Assert.True(m.Required, m.Name));
        Assert.All(members.Values.Where(m => m.Nullable), m => Assert.True(bound[m.Name].IsGetNullable || bound[m.Name].PropertyType.IsValueType, m.Name));
        Assert.Equal(info.Properties.Any(p => p.IsExtensionData), ShapeOf.Record(type).Open);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void The_quick_binding_makes_what_the_serializer_makes(string name)
    {
        using var setting = new Setting();
        var type = TypeOf(name);
        var json = setting.Json(ShapeOf.Record(type));
        if (!PlainBinding.TryBind(json, type, out var quick))
            Assert.True(UsesMore(type), $"{name} is plain, and was not bound quickly: {json.ToJsonString()}");
        else
            Assert.Equal(Text(json.Deserialize(type, StepJson.Options)!, type), Text(quick!, type));
    }

    [Theory]
    [InlineData("""{ "argv": ["true"], "unknown": 1 }""")]
    [InlineData("""{ "argv": "true" }""")]
    [InlineData("""{ "argv": [1] }""")]
    [InlineData("""{ "argv": null }""")]
    [InlineData("""{ }""")]
    [InlineData("""{ "argv": ["true"], "expectedExit": ["0"] }""")]
    [InlineData("""{ "argv": ["true"], "secrets": { "A": "plain" } }""")]
    public void What_does_not_fit_is_left_to_the_serializer_which_says_why(string json)
    {
        var type = TypeOf("command.run");
        Assert.False(PlainBinding.TryBind(JsonNode.Parse(json)!, type, out _));
        Assert.Throws<RunbookException>(() => StepJson.Bind(JsonNode.Parse(json)!, type));
    }

    static Type TypeOf(string name) => name.StartsWith("target ", StringComparison.Ordinal) ? Setting.Catalog.TargetKinds[name[7..]].Type : Setting.Catalog.Steps[name].OptionsType;

    static string Text(object value, Type type) => JsonSerializer.Serialize(value, type, StepJson.Options);

    /// <summary>Has members of a kind that only the serializer binds: free JSON, moments, addresses, positional records.</summary>
    static bool UsesMore(Type type) => StepJson.Options.GetTypeInfo(type).Properties.Any(p => IsMore(Nullable.GetUnderlyingType(p.PropertyType) ?? p.PropertyType, []));

    static bool IsMore(Type type, HashSet<Type> seen)
    {
        if (!seen.Add(type) || type == typeof(string))
            return false;
        if (type == typeof(object) || type.IsAssignableTo(typeof(JsonNode)) || type == typeof(DateTimeOffset) || type == typeof(Uri))
            return true;
        var info = StepJson.Options.GetTypeInfo(type);
        return info.Kind switch
        {
            JsonTypeInfoKind.Object => type.GetConstructor(Type.EmptyTypes) is null || info.Properties.Any(p => IsMore(Nullable.GetUnderlyingType(p.PropertyType) ?? p.PropertyType, seen)),
            JsonTypeInfoKind.Enumerable or JsonTypeInfoKind.Dictionary => IsMore(info.ElementType!, seen),
            _ => false,
        };
    }
}
