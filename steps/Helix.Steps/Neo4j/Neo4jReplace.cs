using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

/// <summary>What all steps that replace a database have in common.</summary>
public abstract record Neo4jReplaceOptions
{
    [Description("The server whose database is replaced. It is stopped, and started on the new data.")]
    [TargetName("neo4j")]
    [Example("neo4j")]
    public required string Target { get; init; }

    [Description("The database. Default: that of the target.")]
    [Fixed]
    public string? Database { get; init; }

    [Description("What it must hold afterwards, as the manifest says: nodes, relationships, label:NAME, type:NAME.")]
    [Example("{ nodes: 1250 }")]
    public IReadOnlyDictionary<string, long>? Counts { get; init; }

    [Description("Do not keep the present store beside the new one.")]
    public bool SkipSafetyCopy { get; init; }

    [Description("The account that owns the store. Default: that of the folder in which it lies.")]
    [Example("\"7474:7474\"")]
    [RegularExpression("^[A-Za-z0-9_.:-]+$", ErrorMessage = "{0} must be an account, or account:group.")]
    public string? Owner { get; init; }

    [Description("How long the server may take to end by itself before it is killed.")]
    public Duration Grace { get; init; } = new(TimeSpan.FromMinutes(2));

    [Description("How long it may take until it answers on the new data.")]
    public Duration ReadyWithin { get; init; } = new(TimeSpan.FromMinutes(10));

    [Description("Memory for the admin tool, which does not look at the server's settings.")]
    [Example("2GiB")]
    public ByteSize? Memory { get; init; }

    [Description("Room that must be free where the data is, as a multiple of what is in the archive.")]
    [Range(0, 100)]
    public double Room { get; init; } = 1.2;
}

public sealed record Neo4jLoadOutputs
{
    [Description("What the server holds now: nodes, relationships, label:NAME, type:NAME, constraints, indexes.")]
    public required IReadOnlyDictionary<string, long> Counts { get; init; }

    [Description("Digest of the archive that was loaded.")]
    public required string Sha256 { get; init; }

    [Description("The database that was replaced.")]
    public required string Database { get; init; }
    public required string ServerVersion { get; init; }

    [Description("The folder of the service that keeps what was there before; missing when there was nothing or none was wanted.")]
    public string? SafetyCopy { get; init; }
}
