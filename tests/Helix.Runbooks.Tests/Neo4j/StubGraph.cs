using System.Text.Json;

namespace Helix.Runbooks.Tests.Neo4j;

sealed record StubIndex(string Name, string State);

/// <summary>What a stub of a server holds: numbers only. It lies in the folder of its database, as a real store does.</summary>
sealed record StubGraph
{
    public const string File = "neostore";

    public Dictionary<string, long> Labels { get; init; } = [];
    public Dictionary<string, long> Types { get; init; } = [];
    public List<string> Constraints { get; init; } = [];
    public List<StubIndex> Indexes { get; init; } = [];

    public static StubGraph Of(long personas) => new()
    {
        Labels = new() { ["Persona"] = personas, ["Art`ifact"] = personas * 2 },
        Types = new() { ["OWNS"] = personas * 2 },
        Constraints = ["persona_id"],
        Indexes = [new("persona_id", "ONLINE"), new("by_label", "ONLINE")],
    };

    public long Nodes => Labels.Values.Sum();

    public static StubGraph Read(string folder) =>
        System.IO.File.Exists(Path.Combine(folder, File)) ? JsonSerializer.Deserialize<StubGraph>(System.IO.File.ReadAllText(Path.Combine(folder, File)))! : new();

    public void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        System.IO.File.WriteAllText(Path.Combine(folder, File), JsonSerializer.Serialize(this));
    }
}
