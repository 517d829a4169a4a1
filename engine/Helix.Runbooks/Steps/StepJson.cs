using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Helix.Runbooks.Steps;

/// <summary>The one way in which options, outputs and targets become JSON and back; reader, schema, journal and steps share it.</summary>
public static class StepJson
{
    public static JsonSerializerOptions Options { get; } = Make();

    /// <summary>Binds resolved options to their record and checks ranges.</summary>
    /// <exception cref="RunbookException">A value does not fit; the message names the option.</exception>
    public static object Bind(JsonNode with, Type type)
    {
        object value;
        try
        {
            value = Read(with, type);
        }
        catch (JsonException e)
        {
            throw new RunbookException($"The value of '{e.Path?.TrimStart('$', '.')}' does not fit: {FirstSentence(e.Message)}");
        }
        foreach (var fault in Faults(value))
            throw new RunbookException(fault);
        return value;
    }

    /// <summary>Binds without looking at ranges.</summary>
    /// <exception cref="JsonException">A value does not fit.</exception>
    internal static object Read(JsonNode json, Type type) =>
        PlainBinding.TryBind(json, type, out var value) ? value! : json.Deserialize(type, Options)!;

    /// <summary>The outputs as they go into the journal.</summary>
    public static JsonObject ToJson(object outputs) => JsonSerializer.SerializeToNode(outputs, outputs.GetType(), Options)!.AsObject();

    /// <summary>Values outside their `[Range]` and the like, one sentence each.</summary>
    public static IEnumerable<string> Faults(object options)
    {
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
            foreach (var rule in property.GetCustomAttributes<ValidationAttribute>(inherit: true))
                if (property.GetValue(options) is { } value && !rule.IsValid(value))
                    yield return rule.FormatErrorMessage($"'{JsonNamingPolicy.CamelCase.ConvertName(property.Name)}'");
    }

    static JsonSerializerOptions Make()
    {
        var options = new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            NumberHandling = JsonNumberHandling.Strict,
            Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        };
        options.Converters.Add(new MomentConverter());
        options.Converters.Add(new JsonStringEnumConverter(new KebabCase(), allowIntegerValues: false));
        options.MakeReadOnly();
        return options;
    }

    static string FirstSentence(string message)
    {
        var end = message.IndexOf(" Path:", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }

    sealed class KebabCase : JsonNamingPolicy
    {
        public override string ConvertName(string name) => KebabCaseLower.ConvertName(name);
    }
}
