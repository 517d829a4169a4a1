using System.CommandLine;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Cli.Commands;

static class ExplainCommand
{
    public static Command Make(Session session)
    {
        var subject = new Argument<string?>("STEP|FIELD") { Description = "A step type, a kind of target, or STEP.OPTION. Without one: the whole catalogue.", Arity = ArgumentArity.ZeroOrOne };
        subject.CompletionSources.Add(_ => [.. Subjects(session.Catalog).Select(s => new System.CommandLine.Completions.CompletionItem(s.Name))]);
        return new Verb("explain", "Explains step types, kinds of targets and their options.", "helix explain", "helix explain redis.save", "helix explain approval.expiresAfter")
            .Takes(subject)
            .Does(parsed =>
            {
                Explain(session, parsed.GetValue(subject));
                return 0;
            });
    }

    /// <summary>Something that has options: the catalogue is the one place that knows them.</summary>
    sealed record Subject(string Name, string What, string Summary, Type Options, Type? Outputs);

    static IEnumerable<Subject> Subjects(StepCatalog catalog) =>
    [
        .. EngineItems.All.Select(i => new Subject(i.Key, "engine item", i.Value.Summary, i.Value.Options, i.Value.Outputs)),
        .. catalog.Steps.Values.Select(s => new Subject(s.Name, "step type", s.About.Summary, s.OptionsType, s.OutputsType)),
        .. catalog.TargetKinds.Values.Select(k => new Subject(k.Name, "kind of target", k.About.Summary, k.Type, null)),
    ];

    static void Explain(Session session, string? named)
    {
        var subjects = Subjects(session.Catalog).ToList();
        if (named is null)
        {
            session.Terminal.Give(new JsonArray([.. subjects.Select(s => new JsonObject { ["name"] = s.Name, ["what"] = s.What, ["summary"] = s.Summary })]),
                () => string.Join("\n\n", subjects.GroupBy(s => s.What).Select(g => TextTable.Of([g.Key, ""], g.Select(s => (string[])["  " + s.Name, s.Summary])))));
            return;
        }
        var subject = subjects.FirstOrDefault(s => s.Name == named);
        if (subject is not null)
        {
            session.Terminal.Give(ToJson(subject), () => ToText(subject));
            return;
        }
        var (owner, option) = OptionOf(subjects, named);
        session.Terminal.Give(ToJson(option), () => $"{option.Name} of {owner.Name}: {option.Type}{(option.Required ? ", required" : "")}\n{option.Description}{Example(option)}");
    }

    static (Subject, Field) OptionOf(List<Subject> subjects, string named)
    {
        foreach (var subject in subjects.Where(s => named.StartsWith(s.Name + ".", StringComparison.Ordinal)))
            if (Fields(subject.Options).FirstOrDefault(f => f.Name == named[(subject.Name.Length + 1)..]) is { } field)
                return (subject, field);
        var near = subjects.Where(s => s.Name.Contains(named, StringComparison.Ordinal) || named.Contains(s.Name, StringComparison.Ordinal) || s.Name.Split('.')[0] == named.Split('.')[0])
            .Select(s => s.Name).Take(8).ToList();
        throw new RunbookException($"There is no step type, kind of target or option '{named}'.",
            near.Count > 0 ? $"Did you mean {string.Join(", ", near)}?" : "`helix explain` lists all there are.");
    }

    static string ToText(Subject subject)
    {
        var text = new StringBuilder($"{subject.Name}: {subject.Summary}\n\noptions\n");
        foreach (var field in Fields(subject.Options))
            text.Append($"  {field.Name}: {field.Type}{(field.Required ? ", required" : field.Default is { } d ? $", default {d}" : "")}\n      {field.Description}{Example(field).Replace("\n", "\n      ", StringComparison.Ordinal)}\n");
        if (subject.Outputs is { } outputs)
        {
            text.Append("\noutputs\n");
            var all = outputs == typeof(DeclaredOutputs) ? [] : Fields(outputs);
            foreach (var field in all)
                text.Append($"  {field.Name}: {field.Type}  {field.Description}\n");
            if (all.Count == 0)
                text.Append(outputs == typeof(DeclaredOutputs) ? "  as the runbook declares them\n" : "  none\n");
        }
        return text.ToString();
    }

    static string Example(Field field) => field.Example is { } example ? $"\nExample: {field.Name}: {example}" : "";

    static JsonObject ToJson(Subject subject) => new()
    {
        ["name"] = subject.Name,
        ["what"] = subject.What,
        ["summary"] = subject.Summary,
        ["options"] = new JsonArray([.. Fields(subject.Options).Select(ToJson)]),
        ["outputs"] = subject.Outputs is { } o && o != typeof(DeclaredOutputs) ? new JsonArray([.. Fields(o).Select(ToJson)]) : null,
    };

    static JsonObject ToJson(Field field) => new JsonObject
    {
        ["name"] = field.Name,
        ["type"] = field.Type,
        ["required"] = field.Required,
        ["default"] = field.Default,
        ["description"] = field.Description,
        ["example"] = field.Example,
    };

    sealed record Field(string Name, string Type, bool Required, string? Default, string Description, string? Example);

    static List<Field> Fields(Type type)
    {
        var defaults = type.GetConstructor(Type.EmptyTypes) is not null && !type.IsAbstract ? Activator.CreateInstance(type) : null;
        return [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.GetCustomAttribute<System.Text.Json.Serialization.JsonIgnoreAttribute>() is null && p.SetMethod is not null)
            .Select(p => new Field(
                JsonNamingPolicy.CamelCase.ConvertName(p.Name), TypeWord(p.PropertyType) + Range(p),
                p.GetCustomAttribute<System.Runtime.CompilerServices.RequiredMemberAttribute>() is not null,
                Default(p, defaults), p.GetCustomAttribute<DescriptionAttribute>()?.Description ?? "", p.GetCustomAttribute<ExampleAttribute>()?.Yaml))];
    }

    static string Range(PropertyInfo property) => property.GetCustomAttribute<RangeAttribute>() is { } range ? $" from {range.Minimum} to {range.Maximum}" : "";

    static string? Default(PropertyInfo property, object? defaults)
    {
        if (defaults is null || property.GetCustomAttribute<System.Runtime.CompilerServices.RequiredMemberAttribute>() is not null)
            return null;
        var text = property.GetValue(defaults) is { } value ? JsonSerializer.Serialize(value, value.GetType(), StepJson.Options).Trim('"') : null;
        return text is "[]" or "{}" or "" ? null : text;
    }

    static string TypeWord(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string)) return "text";
        if (type == typeof(bool)) return "true or false";
        if (type == typeof(Duration)) return "duration";
        if (type == typeof(ByteSize)) return "size";
        if (type == typeof(Helix.Runbooks.Steps.Mode)) return "file mode";
        if (type == typeof(Secret)) return "secret reference";
        if (type == typeof(DateTimeOffset)) return "timestamp";
        if (type.IsEnum) return string.Join(" | ", Enum.GetNames(type).Select(JsonNamingPolicy.KebabCaseLower.ConvertName));
        if (type.IsPrimitive || type == typeof(decimal)) return "number";
        if (type.IsGenericType && type.Name.Contains("Dictionary", StringComparison.Ordinal)) return $"map of {TypeWord(type.GetGenericArguments()[^1])}";
        if (type != typeof(JsonObject) && type.IsGenericType) return $"list of {TypeWord(type.GetGenericArguments()[0])}";
        return "object";
    }
}
