using System.Text.Json;
using System.Text.Json.Serialization;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Backups;

/// <summary>What is known of one backup. Stored beside its object as <c>KEY.manifest.json</c>, written last: without it there is no backup.</summary>
public sealed record BackupManifest
{
    public const string Suffix = ".manifest.json";

    public int Format { get; init; } = 1;
    public required string Key { get; init; }

    /// <summary>What it is, in the words of the system it came from: <c>redis.rdb</c>, <c>neo4j.dump</c>, <c>files.tar</c>.</summary>
    public required string Kind { get; init; }

    public BackupSource? Source { get; init; }

    /// <summary>The time that the data stands for; age is measured from here, never from the time of a file (S3-14).</summary>
    public required DateTimeOffset RecoveryPoint { get; init; }

    /// <summary>For data that was read while it changed: something that happened until then may be in it. Null: the recovery point.</summary>
    public DateTimeOffset? DataUntil { get; init; }
    public required DateTimeOffset MadeAt { get; init; }
    public BackupMaker? MadeBy { get; init; }

    /// <summary>The name the file had.</summary>
    public string? FileName { get; init; }

    /// <summary>Before compression and encryption.</summary>
    public required ContentDigest Content { get; init; }

    /// <summary>As it lies in the store.</summary>
    public required ContentDigest Stored { get; init; }

    public Compression Compression { get; init; } = Compression.None;
    public BackupEncryption? Encryption { get; init; }

    /// <summary>How much of what is in it: labels, relationship types, keys per database.</summary>
    public IReadOnlyDictionary<string, long>? Counts { get; init; }

    /// <summary>Something was left out or changed while it was read, and the runbook did not accept that: no selector takes it.</summary>
    public bool Partial { get; init; }
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>In the order in which they were written, which one store keeps; the clocks of those who wrote them may differ.</summary>
    public IReadOnlyList<BackupProof> Proofs { get; init; } = [];
    public BackupRejection? Rejected { get; init; }

    /// <summary>Made before this tool; somebody vouched for the recovery point.</summary>
    public BackupAdoption? Adopted { get; init; }

    /// <summary>Where these very bytes were taken from.</summary>
    public BackupOrigin? CopiedFrom { get; init; }

    /// <summary>What a newer version wrote and this one does not know; kept when the manifest is rewritten.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; init; }

    /// <summary>The newest restore of it was checked and good.</summary>
    [JsonIgnore]
    public bool Proven => Proofs is [.., { Passed: true }];

    /// <summary>The newest restore of it was checked and bad.</summary>
    [JsonIgnore]
    public bool FoundBad => Proofs is [.., { Passed: false }];

    /// <summary>Nothing that happened after this is in it.</summary>
    [JsonIgnore]
    public DateTimeOffset HoldsUntil => DataUntil ?? RecoveryPoint;

    /// <summary>A selector may take it.</summary>
    [JsonIgnore]
    public bool Selectable => !Partial && Rejected is null;

    /// <summary>It holds all that is known of the same bytes elsewhere.</summary>
    public bool IsJudgedLike(BackupManifest elsewhere) =>
        (Rejected is not null || elsewhere.Rejected is null) && elsewhere.Proofs.All(p => Proofs.Any(p.IsSameAs));

    /// <summary>With the proofs and the rejection of the same bytes elsewhere too.</summary>
    public BackupManifest JudgedLike(BackupManifest elsewhere)
    {
        var more = elsewhere.Proofs.Where(p => !Proofs.Any(p.IsSameAs)).ToList();
        var behind = Proofs.All(p => elsewhere.Proofs.Any(p.IsSameAs));
        return this with
        {
            Rejected = Rejected ?? elsewhere.Rejected,
            // Where both stores got proofs of their own, the clocks are all there is to tell their order.
            Proofs = more.Count == 0 ? Proofs : behind ? elsewhere.Proofs : [.. Proofs.Concat(more).OrderBy(p => p.At)],
        };
    }

    static readonly JsonSerializerOptions Json = new(StepJson.Options)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
        WriteIndented = true,
    };

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <exception cref="JsonException">Cut off, or not a manifest.</exception>
    public static BackupManifest Parse(ReadOnlySpan<byte> bytes) =>
        JsonSerializer.Deserialize<BackupManifest>(bytes, Json) ?? throw new JsonException("The manifest is empty.");
}

public sealed record ContentDigest(long Size, string Sha256)
{
    /// <summary>Not measured yet.</summary>
    public static readonly ContentDigest None = new(0, "");
}

/// <summary>The system that the data came from.</summary>
public sealed record BackupSource
{
    public string? Target { get; init; }

    /// <summary>Where it was, as the target itself told.</summary>
    public string? Place { get; init; }

    /// <summary>Of tool and server, by name.</summary>
    public IReadOnlyDictionary<string, string> Versions { get; init; } = new Dictionary<string, string>();
}

public sealed record BackupMaker(string Run, string Step, string Runbook, string Operator);

/// <summary>How it was encrypted; see FORMAT.md. Never the key.</summary>
public sealed record BackupEncryption(string Format, string KeyId);

/// <summary>A restore into a throw-away target that was checked.</summary>
public sealed record BackupProof
{
    public required DateTimeOffset At { get; init; }
    public required bool Passed { get; init; }
    public required string Run { get; init; }

    /// <summary>The throw-away target.</summary>
    public string? Target { get; init; }
    public string? Note { get; init; }
    public IReadOnlyDictionary<string, long>? Counts { get; init; }

    internal bool IsSameAs(BackupProof other) => (At, Run, Passed, Target) == (other.At, other.Run, other.Passed, other.Target);
}

public sealed record BackupRejection(DateTimeOffset At, string By, string Reason);

public sealed record BackupOrigin(string Place, DateTimeOffset At);

public sealed record BackupAdoption(DateTimeOffset At, string By);
