using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Helix.Runbooks.Steps;

/// <summary>The types that inputs and declared outputs can have.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ValueType>))]
public enum ValueType
{
    [JsonStringEnumMemberName("string")] Text,
    [JsonStringEnumMemberName("number")] Number,
    [JsonStringEnumMemberName("boolean")] Boolean,
    [JsonStringEnumMemberName("duration")] Duration,
    [JsonStringEnumMemberName("timestamp")] Timestamp,
    [JsonStringEnumMemberName("list")] List,
    [JsonStringEnumMemberName("object")] Object,
}

/// <summary>An output that the runbook declares, for step types whose outputs only the author knows.</summary>
public sealed record DeclaredOutput
{
    [Description("The type that later steps can rely on; a value of another type fails the step.")]
    public ValueType Type { get; init; } = ValueType.Text;

    [Description("Where the value comes from: text (all of stdout, trimmed), lines (a list), or json:PATH, as json:$[0].name.")]
    [Example("json:$.status")]
    [RegularExpression(Forms, ErrorMessage = "{0} must be text, lines or json:PATH, as json:$.name, json:$[0].name or json:$['odd name'].")]
    public string From { get; init; } = "text";

    const string Forms = @"^(text|lines|json:\$((\.[A-Za-z_][A-Za-z0-9_-]*)|(\[\d{1,9}\])|(\['[^']+'\]))*)$";
}

/// <summary>Options of a step type whose outputs the runbook declares (`outputs:` beside the other options).</summary>
public interface IDeclaresOutputs
{
    IReadOnlyDictionary<string, DeclaredOutput> Outputs { get; }
}

/// <summary>The outputs of a step that declares them: values of the declared types, by name.</summary>
public sealed record DeclaredOutputs
{
    [JsonExtensionData]
    public Dictionary<string, object?> Values { get; init; } = [];
}
