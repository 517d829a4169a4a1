using Helix.Runbooks.Journal;
using Helix.Runbooks.Tests.Runs;

namespace Helix.Runbooks.Tests.Terraform;

/// <summary>Plan, approval and apply through the engine: what was shown is what is done, and nothing else.</summary>
public sealed class TerraformGateTests : IDisposable
{
    const string Book = """
        steps:
          - { id: plan, uses: terraform.plan, with: { target: infra, destroy: true, to: "{{ run.safe }}/removal.tfplan" } }
          - id: go
            uses: approval
            with: { message: "Remove {{ steps.plan.actions | array.join ', ' }} (plan {{ steps.plan.sha256 }})?", approvers: [group:dba] }
          - { id: remove, uses: terraform.destroy, with: { target: infra, plan: "{{ steps.plan.file }}", sha256: "{{ steps.plan.sha256 }}" } }

        """;

    readonly RunHarness _harness = new();
    readonly TerraformFolder _folder = new("resource \"terraform_data\" \"a\" { input = \"one\" }\n");

    public void Dispose()
    {
        _folder.Dispose();
        _harness.Dispose();
    }

    async Task<string> RunToTheGate()
    {
        await _folder.PlanAndApply();
        var run = _harness.Start(_harness.Plan(Book, $"  infra: {{ kind: terraform, directory: {_folder.Path} }}"));
        await _harness.Drive(run);
        var shown = Assert.Single(_harness.Engine.State(run).OpenQuestions).Asked.Message;
        Assert.Matches("^Remove delete terraform_data.a \\(plan [0-9a-f]{64}\\)\\?$", shown);
        return run;
    }

    [Fact]
    public async Task What_was_approved_is_removed()
    {
        var run = await RunToTheGate();
        Assert.True(_harness.Answer(run, RunHarness.Bob, "approve").Accepted);
        await _harness.Drive(run);
        Assert.Equal(RunStatus.Succeeded, _harness.Engine.State(run).Status);
        Assert.DoesNotContain("terraform_data", _folder.State, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plan_that_was_changed_after_the_approval_is_refused_before_terraform_is_asked()
    {
        var run = await RunToTheGate();
        Assert.True(_harness.Answer(run, RunHarness.Bob, "approve").Accepted);
        var file = _harness.Engine.State(run).Step("plan")!.Outputs!["file"]!.ToString();
        await File.AppendAllTextAsync(file, "x", TestContext.Current.CancellationToken);
        await _harness.Drive(run);
        Assert.Equal(RunStatus.Failed, _harness.Engine.State(run).Status);
        Assert.Contains("terraform_data", _folder.State, StringComparison.Ordinal);
    }
}
