using Helix.Runbooks.Journal;
using Helix.Runbooks.Tests.Runs;
using Helix.Runbooks.Tests.Terraform;

namespace Helix.Runbooks.Tests.Kubernetes;

/// <summary>The way of scenario 2: no cluster is there when the run starts, Terraform makes its kubeconfig, and the next step deploys with it.</summary>
public sealed class ClusterFromTerraformTests : IDisposable
{
    readonly RunHarness _harness = new();
    readonly KubeServer _server = new();

    public void Dispose()
    {
        _server.Dispose();
        _harness.Dispose();
    }

    [Fact]
    public async Task A_run_builds_what_was_approved_and_deploys_into_the_cluster_that_came_of_it()
    {
        using var folder = new TerraformFolder($$"""
            resource "terraform_data" "cluster" {
              input = "{{_server.Url}}"
              provisioner "local-exec" { command = "cp {{_server.Config}} ${path.module}/kubeconfig" }
            }
            output "server" { value = terraform_data.cluster.output }
            """);
        _harness.Write("web.json", KubeManifests.Deployment("web"));
        var plan = _harness.Plan("""
            steps:
              - { id: plan, uses: terraform.plan, with: { target: infra, to: "{{ run.work }}/infra.tfplan" } }
              - { id: go, uses: approval, with: { message: "Build {{ steps.plan.summary }} for {{ targets.cluster.context }}?", approvers: [group:dba] } }
              - { id: build, uses: terraform.apply, with: { target: infra, plan: "{{ steps.plan.file }}", sha256: "{{ steps.plan.sha256 }}" } }
              - { id: right, uses: assert, with: { that: "{{ steps.build.added == 1 }}", message: "{{ steps.build.outputs.server }}" } }
              - { id: deploy, uses: kubernetes.apply, with: { target: cluster, files: [web.json] } }
              - { id: ready, uses: kubernetes.rollout, with: { target: cluster, workloads: [deployment/web] } }

            """, $"""
              infra:
                kind: terraform
                directory: {folder.Path}
              cluster:
                kind: kubernetes
                kubeconfig: {folder.Path}/kubeconfig
                context: dr
                namespace: helix
            """.Replace("\n", "\n  ", StringComparison.Ordinal).Insert(0, "  "));
        var run = _harness.Start(plan);
        await _harness.Drive(run);
        Assert.False(File.Exists(Path.Combine(folder.Path, "kubeconfig")));
        Assert.Equal("Build 1 to add, 0 to change, 0 to destroy for dr?", Assert.Single(_harness.Engine.State(run).OpenQuestions).Asked.Message);
        Assert.True(_harness.Answer(run, RunHarness.Bob, "approve").Accepted);

        await _harness.Drive(run);

        Assert.Equal(RunStatus.Succeeded, _harness.Engine.State(run).Status);
        Assert.NotNull(_server.Cluster["Deployment", "web"]);
    }
}
