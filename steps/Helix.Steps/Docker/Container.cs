using System.Text.Json.Nodes;

namespace Helix.Steps.Docker;

/// <summary>What the engine knows of one container. Its environment may hold secrets: never logged.</summary>
sealed record Container
{
    public required string Id { get; init; }
    public required string Name { get; init; }

    /// <summary>The exact image, by digest.</summary>
    public required string Image { get; init; }
    public required string Status { get; init; }
    public required int ExitCode { get; init; }

    /// <summary>The moment of its last start, as the engine writes it.</summary>
    public string StartedAt { get; init; } = "";
    public string? Health { get; init; }
    public string? HealthOutput { get; init; }
    public string User { get; init; } = "";
    public string Network { get; init; } = "default";
    public IReadOnlyList<string> Environment { get; init; } = [];
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Paths inside that are volumes or bind mounts.</summary>
    public IReadOnlyList<string> Mounts { get; init; } = [];

    /// <summary>Has a process: running, paused, or between two restarts.</summary>
    public bool Runs => Status is "running" or "paused" or "restarting";

    public string? Service => Labels.GetValueOrDefault(DockerEngine.ServiceLabel);
    public int Number => int.TryParse(Labels.GetValueOrDefault(DockerEngine.NumberLabel), out var number) ? number : 1;

    public bool IsOnVolume(string path) => Mounts.Any(m => path == m || path.StartsWith(m.TrimEnd('/') + "/", StringComparison.Ordinal));

    public static Container From(JsonObject json)
    {
        var (state, config) = (json["State"]!, json["Config"]!);
        return new()
        {
            Id = (string)json["Id"]!,
            Name = ((string)json["Name"]!).TrimStart('/'),
            Image = (string)json["Image"]!,
            Status = (string)state["Status"]!,
            ExitCode = (int)state["ExitCode"]!,
            StartedAt = (string?)state["StartedAt"] ?? "",
            Health = (string?)state["Health"]?["Status"],
            HealthOutput = (string?)state["Health"]?["Log"]?.AsArray().LastOrDefault()?["Output"],
            User = (string?)config["User"] ?? "",
            Network = (string?)json["HostConfig"]?["NetworkMode"] ?? "default",
            Environment = [.. config["Env"]?.AsArray().Select(e => (string)e!) ?? []],
            Labels = config["Labels"]?.AsObject().ToDictionary(l => l.Key, l => (string?)l.Value ?? "") ?? [],
            Mounts = [.. json["Mounts"]?.AsArray().Select(m => (string)m!["Destination"]!) ?? []],
        };
    }
}
