using System.Text.Json;
using System.Text.Json.Serialization;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Redis;

/// <summary>How far a restore came. Ordered: from <c>Placing</c> on the old data is not certain to be there, and no later attempt forgets it.</summary>
enum RestoreStage { Begun, Kept, Quiet, Placing, Starting, Checked, AppendOnly, Done }

static class RestoreStages
{
    public static RestoreStage AtMost(this RestoreStage stage, RestoreStage most) => stage < most ? stage : most;
    public static RestoreStage AtLeast(this RestoreStage stage, RestoreStage least) => stage > least ? stage : least;
}

/// <summary>How the server's append-only file is led around the load.</summary>
enum AppendOnlyWay
{
    /// <summary>It keeps none.</summary>
    None,
    /// <summary>Switched off in its configuration file, and on again after the load, which rebuilds it (RED-05).</summary>
    Switched,
    /// <summary>Its configuration cannot be written (arguments of a container): the file becomes the base part of the append-only folder.</summary>
    AsBase,
}

/// <summary>A replica that was told to follow nobody.</summary>
sealed record DetachedReplica(string Endpoint, string MasterHost, int MasterPort)
{
    /// <summary>The target that the runbook names it by.</summary>
    public string? Target { get; init; }
}

/// <summary>What a restore found before it changed anything, and how far it is: kept in the journal, so that a resume goes on from there.</summary>
sealed record RestoreProgress
{
    const string Key = "restore";

    public required RestoreStage Stage { get; init; }
    public required string Sha256 { get; init; }
    public required string DataFile { get; init; }

    /// <summary>It answered when the restore began; else it was down, and only its files could be looked at.</summary>
    public bool WasRunning { get; init; }

    /// <summary>The save points, to be put back when the server was not restarted.</summary>
    public string? SavePoints { get; init; }
    public AppendOnlyWay AppendOnly { get; init; }
    public string? AppendFolder { get; init; }
    public string AppendFile { get; init; } = "appendonly.aof";

    /// <summary>The file that names the parts of the folder, since Redis 7.</summary>
    [JsonIgnore]
    public string AppendManifest => $"{AppendFolder}/{AppendFile}.manifest";
    public IReadOnlyList<DetachedReplica> Replicas { get; init; } = [];
    public string? SafetyCopy { get; init; }
    public RedisRestoreOutputs? Outputs { get; init; }

    public static RestoreProgress? Of(StepContext context) => context.Saved(Key)?.Deserialize<RestoreProgress>(StepJson.Options);

    public Task Save(StepContext context) => context.Save(Key, JsonSerializer.SerializeToNode(this, StepJson.Options)!);
}
