using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Helix.Runbooks.Steps;
using Helix.Steps.Backups;
using Helix.Steps.Targets;

namespace Helix.Steps.Neo4j;

public enum Neo4jEdition { Community, Enterprise }

/// <summary>One Neo4j server.</summary>
[Target("neo4j", "A Neo4j server, asked through HTTP; with a runtime it can also be dumped, stopped and loaded.")]
public sealed record Neo4jTarget : RunningTarget, IJudgesCounts
{
    [Description("Where it answers HTTP.")]
    [Example("http://localhost:7474")]
    [RegularExpression(@"^https?://[^/\s?#@]+/?$", ErrorMessage = "{0} must be http://host:port or https://host:port.")]
    public required string Url { get; init; }

    [Description("The user.")]
    public string User { get; init; } = "neo4j";

    [Description("The password; without it nothing is sent, for a server without authentication.")]
    [Example("env:NEO4J_PASSWORD")]
    public Secret? Password { get; init; }

    [Description("PEM file of the certificate authorities to trust instead of the system's.")]
    [FilePath]
    public string? CaFile { get; init; }

    [Description("The database. Default: neo4j, and graph.db on 3.x.")]
    [Example("neo4j")]
    public string? Database { get; init; }

    [Description("The edition, for what must be known before the server can be asked.")]
    public Neo4jEdition? Edition { get; init; }

    [Description("The version, for when neither the server nor its admin tool tells it.")]
    [Example("\"5.25.1\"")]
    [RegularExpression(@"^\d+\.\d+(\.\d+)*$", ErrorMessage = "{0} must be a version, as 5.25.1.")]
    public string? Version { get; init; }

    [Description("The admin tool, as the service sees it: executable and first arguments.")]
    public IReadOnlyList<string> Admin { get; init; } = ["neo4j-admin"];

    [Description("Its data folder, which holds `databases`, as the service sees it. Default: /data, or `data` below the folder of a process.")]
    [Example("/data")]
    public string? DataFolder { get; init; }

    [Description("What must be true of good data, independent of any backup; used by neo4j.verify.")]
    public IReadOnlyList<Neo4jCheck> Checks { get; init; } = [];

    [JsonIgnore]
    public IReadOnlyDictionary<string, int> MaxChanges => Checks.Where(c => c.MaxChangeFromLastBackup is not null).ToDictionary(c => c.CountName, c => c.MaxChangeFromLastBackup!.Value);

    [JsonIgnore]
    public override string Address => Uri.TryCreate(Url, UriKind.Absolute, out var url)
        ? $"neo4j://{(url.Host is "localhost" or "[::1]" ? "127.0.0.1" : url.Host.ToLowerInvariant())}:{url.Port}"
        : $"neo4j:{Url}";

    [JsonIgnore]
    public override IReadOnlyList<string> Tools => Runtime is null ? [] : Runtime.Process is not { } process ? Service.Tools
        : [.. Service.Tools, Admin[0].Contains('/') ? Path.GetFullPath(Admin[0], process.Directory) : Admin[0]];

    /// <summary>A runtime, for a step that cannot do without.</summary>
    internal Runtime ServiceFor(string step) => Runtime is not null ? Service : throw new RunbookException(
        $"{step} needs the files of neo4j target '{Name}', which has no runtime.",
        "Say how it is run: `runtime: { compose: stack, service: neo4j }`, or docker, kubernetes or process.");

    [JsonIgnore]
    internal string Folder => DataFolder ?? (Runtime?.Process is null ? "/data" : "data");

    /// <summary>Where its runtime says that it is, if that is how it is identified: this is known also while it is down. Else host, port and the id of the installation: never the id of a store, which a restore changes.</summary>
    public override async Task<string?> ReadPlace(PlanContext context)
    {
        if (Runtime is not null && Identity is { } wanted && await Service.Place(context) is { } place && place == wanted.Place)
            return place;
        try
        {
            using var server = await Neo4jConnection.Open(this, context);
            return $"{server.MachineName}:{server.Port}{await Installation.Of(server)}";
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return null;
        }
    }

    public override async Task<string> Check(PlanContext context)
    {
        using var server = await Neo4jConnection.Open(this, context);
        var about = await server.About();
        var nodes = await server.Number("MATCH (n) RETURN count(n)");
        return $"Neo4j {about.Version} {about.Edition.ToString().ToLowerInvariant()}, {nodes:N0} nodes";
    }
}

/// <summary>A query whose answer good data gives.</summary>
public sealed record Neo4jCheck
{
    [Description("The query; the first column of its first row is judged.")]
    [Example("\"MATCH (p:Persona) WHERE NOT (p)-[:OWNS]->() RETURN count(p)\"")]
    public required string Query { get; init; }

    [Description("The value that it must give.")]
    public JsonNode? Expect { get; init; }

    [Description("The least number.")]
    public double? AtLeast { get; init; }

    [Description("The greatest number.")]
    public double? AtMost { get; init; }

    [Description("By how many percent the number may differ from one backup to the next. Dumps and counts note it for the manifest; backup.verify compares.")]
    [Range(0, 1000)]
    public int? MaxChangeFromLastBackup { get; init; }

    /// <summary>Under which the number stands among counts.</summary>
    [JsonIgnore]
    public string CountName => $"check:{Query}";
}
