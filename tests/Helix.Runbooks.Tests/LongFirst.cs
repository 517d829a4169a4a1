using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(Helix.Runbooks.Tests.LongFirst))]

namespace Helix.Runbooks.Tests;

/// <summary>What takes minutes begins first: at the end nobody waits for one collection while the machine idles.</summary>
public sealed class LongFirst : ITestCollectionOrderer
{
    // By what they took, longest first; all others come after them in their own order.
    static readonly string[] Long =
    [
        "CrashMatrixTests", "VolumeTests", "DeletionRunTests", "BreachRunTests", "compose", "SshRuntimeTests", "docker", "CorruptionRunTests", "FullDrillRunTests", "StopAndLoadRowsTests", "AdminRowsTests", "RealNeo4jTests",
        "BlueGreenRunTests", "WholeLossRunTests", "S3RunbookTests", "KubernetesRuntimeTests", "S3FaultTests", "BackupOnS3Tests",
        "TeamRecoveryTests", "NodesTests", "CutLinkTests", "FormsSeenTests", "RestartTests", "OtlpTests", "DoorPagesTests",
    ];

    public IReadOnlyCollection<T> OrderTestCollections<T>(IReadOnlyCollection<T> testCollections) where T : ITestCollection =>
        [.. testCollections.OrderBy(c => Rank(c.TestCollectionDisplayName))];

    static int Rank(string name) => Array.FindIndex(Long, l => name == l || name.Contains($".{l} ", StringComparison.Ordinal)) is var i and >= 0 ? i : Long.Length;
}
