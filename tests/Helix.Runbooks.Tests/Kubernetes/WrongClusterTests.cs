using Helix.Runbooks.Journal;
using Helix.Runbooks.Tests.Runs;

namespace Helix.Runbooks.Tests.Kubernetes;

public sealed class WrongClusterTests : IDisposable
{
    readonly RunHarness _harness = new();
    readonly KubeServer _server = new();

    public void Dispose()
    {
        _server.Dispose();
        _harness.Dispose();
    }

    [Theory]
    [InlineData("another-cluster/helix", false)]
    [InlineData(KubeCluster.Uid + "/helix", true)]
    public async Task Nothing_is_deleted_in_a_cluster_that_is_not_the_one_of_the_environment(string place, bool right)
    {
        _server.Cluster.Make(KubeManifests.Deployment("blue"));
        var run = _harness.Start(_harness.Plan("""
            steps:
              - { id: go, uses: approval, with: { message: "Delete blue in {{ targets.cluster.context }}?", approvers: [group:dba] } }
              - { id: remove, uses: kubernetes.delete, with: { target: cluster, objects: [deployment/blue] } }

            """, $"  cluster: {{ kind: kubernetes, kubeconfig: {_server.Config}, context: dr, namespace: helix, identity: {{ place: {place} }} }}"));
        await _harness.Drive(run);
        Assert.True(_harness.Answer(run, RunHarness.Bob, "approve").Accepted);

        await _harness.Drive(run);

        var state = _harness.Engine.State(run);
        Assert.Equal(right, _server.Cluster["Deployment", "blue"] is null);
        Assert.Equal(right ? RunStatus.Succeeded : RunStatus.Failed, state.Status);
        if (!right)
            Assert.Contains($"'cluster' is {KubeCluster.Uid}/helix, and the environment says it is another-cluster/helix", state.Step("remove")!.Message, StringComparison.Ordinal);
    }
}
