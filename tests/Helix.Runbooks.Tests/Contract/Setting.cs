using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Model.Yaml;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Runbooks.Tests.Contract;

/// <summary>What the contract puts a step into: a target of every kind behind a closed port, options made from the examples, secrets that may turn up nowhere.</summary>
sealed partial class Setting : IDisposable
{
    public static readonly StepCatalog Catalog = new(typeof(Runtime).Assembly);
    const string CanaryName = "HELIX_CONTRACT_CANARY";

    // Nobody listens below 1024 but what the machine started; port 1 is tcpmux, which nobody starts.
    const string Closed = "127.0.0.1:1";

    public TestHost Host { get; } = new();
    public CountingLauncher Launcher { get; } = new();

    public Setting()
    {
        Host.Launcher = Launcher;
        Host.Canary(CanaryName);
        Host.Write("input.bin", "no data of any known kind"u8.ToArray());
        foreach (var kind in Catalog.TargetKinds.Values)
            Host.Add(kind.Name, (Target)Bound(kind.Type));
    }

    public StepType Type(string name) => Catalog.Steps[name];
    public object OptionsOf(string name) => Bound(Type(name).OptionsType);

    public object Bound(Type type) => StepJson.Bind(Json(ShapeOf.Record(type)), type);

    /// <summary>What is needed, what is secret, and what names a target.</summary>
    public JsonObject Json(RecordShape shape)
    {
        var json = new JsonObject();
        foreach (var member in shape.Members.Values)
            if (Value(member) is { } value)
                json[member.Name] = value;
        return json;
    }

    JsonNode? Value(Member member)
    {
        if (member.TargetKinds is { } kinds && KindFor(kinds) is { } kind)
            return member.Shape is ListShape ? new JsonArray(kind) : JsonValue.Create(kind);
        if (member.Shape is SecretShape)
            return Canary();
        if (member.Shape is MapShape { Value: SecretShape })
            return new JsonObject { ["X-Contract"] = Canary() };
        if (member is { Name: "runtime", Shape: RecordShape })
            return new JsonObject { ["process"] = Json(ShapeOf.Record(typeof(ProcessOptions))) };
        if (member is { Name: "port", Shape: NumberShape })
            return JsonValue.Create(1);
        // An endpoint that is left out is that of a public cloud, and no test goes there.
        return member.Required || member.Name == "endpoint" ? Local(member.Example is { } yaml ? Read(yaml, member) : Least(member), member) : null;
    }

    static string? KindFor(IReadOnlyList<string> kinds) => kinds.Count == 0 ? Catalog.TargetKinds.Keys.First() : kinds.FirstOrDefault(Catalog.TargetKinds.ContainsKey);

    static JsonValue Canary() => JsonValue.Create("env:" + CanaryName);

    static JsonNode? Read(string yaml, Member member)
    {
        var problems = new ProblemList();
        var node = new YamlText("example.yaml", problems).Read(Encoding.UTF8.GetBytes(yaml));
        var value = node is null ? null : new ValueReader(problems, templates: true).Read(node, member.Shape, member, member.Name);
        Assert.True(value is not null && problems.Count == 0, $"The example of '{member.Name}' is no value of it: {string.Join("; ", problems.Sorted("example.yaml"))}");
        return value;
    }

    static JsonNode Least(Member member) => StandIn.For(JsonValue.Create(member.Shape is TextShape ? member.Name : "{{ inputs.any }}"), member.Shape, member);

    /// <summary>The example moved to this machine: hosts to a closed port, files below the test's folder, expressions to the least value.</summary>
    JsonNode? Local(JsonNode? value, Member member) => value switch
    {
        null => null,
        JsonArray list => new JsonArray([.. list.Select(v => Local(v, member with { Shape = member.Shape is ListShape of ? of.Element : Shape.Any }))]),
        JsonValue scalar when scalar.TryGetValue<string>(out var text) => Local(text, member),
        _ => StandIn.For(value, member.Shape, member),
    };

    JsonNode Local(string text, Member member)
    {
        if (member.Shape is not (TextShape or AnyShape))
            return StandIn.For(JsonValue.Create(text), member.Shape, member);
        var local = text.Replace("{{ run.work }}", Host.Work, StringComparison.Ordinal).Replace("{{ run.safe }}", Host.Safe, StringComparison.Ordinal);
        if (Template.Has(local))
            local = Path.Combine(Host.Work, "input.bin");
        else if (HostAndPort().IsMatch(local))
            local = Closed;
        else if (local.Contains("://", StringComparison.Ordinal))
            local = $"http://{Closed}/";
        else if (member.Name == "host")
            local = "127.0.0.1";
        else if (local.StartsWith('/') && !local.StartsWith(Host.Folder, StringComparison.Ordinal))
            local = Host.Folder + local;
        return JsonValue.Create(local);
    }

    /// <summary>Every file of the test's folder with its size: what a step without effects leaves as it is.</summary>
    public IReadOnlyList<string> Snapshot() =>
        [.. Directory.EnumerateFileSystemEntries(Host.Folder, "*", SearchOption.AllDirectories).Select(p => $"{p} {(File.Exists(p) ? new FileInfo(p).Length : -1)}").Order(StringComparer.Ordinal)];

    [GeneratedRegex(@"^[\w.-]+:\d+$")]
    private static partial Regex HostAndPort();

    public void Dispose() => Host.Dispose();
}

/// <summary>Starts nothing and remembers what it was asked to start.</summary>
sealed class CountingLauncher : ToolLauncher
{
    public ConcurrentQueue<string> Asked { get; } = new();

    public override Task<ToolResult> Run(Tool tool)
    {
        Asked.Enqueue($"{tool.File} {string.Join(' ', tool.Arguments)} {string.Join(' ', tool.Environment.Select(e => e.Key))}");
        throw StepFailedException.Missing($"{tool.File} is not on this machine.");
    }
}
