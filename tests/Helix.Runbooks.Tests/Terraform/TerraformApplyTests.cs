using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Http;
using Helix.Steps.Terraform;

namespace Helix.Runbooks.Tests.Terraform;

public sealed class TerraformApplyTests
{
    const string One = "resource \"terraform_data\" \"a\" { input = \"one\" }\n";
    static readonly string Slow = One + """
        resource "terraform_data" "slow" {
          depends_on = [terraform_data.a]
          provisioner "local-exec" { command = "exec sleep 120" }
        }
        """;

    [Fact]
    public async Task Only_the_plan_with_the_approved_digest_is_applied()
    {
        using var folder = new TerraformFolder(One);
        var plan = await folder.Plan();
        folder.Write(One + "resource \"terraform_data\" \"b\" {}\n");
        var other = await folder.Plan(folder.PlanOptions with { To = Path.Combine(folder.Host.Work, "other.tfplan") });
        File.Copy(other.File, plan.File, overwrite: true);
        var failure = await folder.Host.Fails(FailureClass.Conflict, new TerraformApply(), TerraformFolder.Apply(plan));
        Assert.Contains("is not the plan that was approved", failure.Message, StringComparison.Ordinal);
        Assert.Equal("", folder.State);
    }

    [Fact]
    public async Task A_plan_that_the_state_has_overtaken_is_refused()
    {
        using var folder = new TerraformFolder(One);
        var plan = await folder.Plan();
        var done = await folder.Host.Run(new TerraformApply(), TerraformFolder.Apply(plan));
        Assert.Equal((1, 0, 0), (done.Added, done.Changed, done.Removed));
        folder.Host.SavedValues.Clear();
        var failure = await folder.Host.Fails(FailureClass.Conflict, new TerraformApply(), TerraformFolder.Apply(plan));
        Assert.Contains("out of date", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plan_that_replaces_something_needs_the_word_of_the_runbook()
    {
        using var folder = new TerraformFolder("resource \"terraform_data\" \"a\" { triggers_replace = \"one\" }\n");
        await folder.PlanAndApply();
        folder.Write("resource \"terraform_data\" \"a\" { triggers_replace = \"two\" }\n");
        var plan = await folder.Plan();
        Assert.Equal(["replace terraform_data.a"], plan.Actions);
        var options = TerraformFolder.Apply(plan);
        Assert.Contains("would replace terraform_data.a", (await folder.Host.Fails(FailureClass.Conflict, new TerraformApply(), options)).Message, StringComparison.Ordinal);
        Assert.Equal(1, (await folder.Host.Run(new TerraformApply(), options with { MayDestroy = true })).Removed);
    }

    [Fact]
    public async Task A_removal_needs_a_plan_of_removal_and_empties_the_state()
    {
        using var folder = new TerraformFolder(One);
        await folder.PlanAndApply();
        folder.Write(One + "resource \"terraform_data\" \"b\" {}\n");
        var growing = await folder.Plan();
        var wrong = await folder.Host.Fails(FailureClass.Conflict, new TerraformDestroy(), new() { Target = "infra", Plan = growing.File, Sha256 = growing.Sha256 });
        Assert.Contains("it would also create terraform_data.b", wrong.Message, StringComparison.Ordinal);
        var removal = await folder.Plan(folder.PlanOptions with { Destroy = true });
        var done = await folder.Host.Run(new TerraformDestroy(), new() { Target = "infra", Plan = removal.File, Sha256 = removal.Sha256 });
        Assert.Equal(1, done.Removed);
        Assert.False((await folder.Plan(folder.PlanOptions with { Destroy = true })).Changes);
    }

    [Fact]
    public async Task After_a_crash_the_state_tells_whether_the_plan_was_applied()
    {
        using var folder = new TerraformFolder(One);
        var options = TerraformFolder.Apply(await folder.Plan());
        Assert.Equal(ProbeVerdict.NotDone, (await folder.Host.Probe(new TerraformApply(), options)).Verdict);
        await folder.Host.Run(new TerraformApply(), options);
        var probe = await folder.Host.Probe(new TerraformApply(), options);
        Assert.Equal((ProbeVerdict.Done, 1), (probe.Verdict, probe.Outputs?.Added));
    }

    [Fact]
    public async Task A_plan_that_is_applied_and_whose_outputs_could_not_be_read_is_not_applied_again()
    {
        using var folder = new TerraformFolder(One + "output \"out\" { value = \"here\" }\n");
        var options = TerraformFolder.Apply(await folder.Plan());
        var (bin, away) = (Directory.CreateDirectory(Path.Combine(folder.Host.Folder, "bin")).FullName, Path.Combine(folder.Host.Folder, "away"));
        var real = System.Environment.GetEnvironmentVariable("PATH");
        await File.WriteAllTextAsync(Path.Combine(bin, "terraform"), $"#!/bin/sh\n[ \"$*\" = 'show -json' ] && [ -e '{away}' ] && echo 'no connection to the state' >&2 && exit 1\nPATH='{real}' exec terraform \"$@\"\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(Path.Combine(bin, "terraform"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        folder.Host.ToolEnvironment["PATH"] = $"{bin}:{real}";
        File.WriteAllText(away, "");
        var failure = await folder.Host.Fails(FailureClass.Transient, new TerraformApply(), options);
        Assert.StartsWith("The plan is applied, but the outputs cannot be read", failure.Message, StringComparison.Ordinal);
        File.Delete(away);
        var done = await folder.Host.Run(new TerraformApply(), options);
        Assert.Equal((1, "here"), (done.Added, done.Outputs["out"]?.ToString()));
    }

    [Fact]
    public async Task TF_07_a_cancel_interrupts_once_and_waits_until_the_state_is_written()
    {
        using var folder = new TerraformFolder(Slow);
        var options = TerraformFolder.Apply(await folder.Plan());
        var running = folder.Host.Run(new TerraformApply(), options);
        await Eventually.True(() => folder.Host.Logged.Any(l => l.Contains("Provisioning with", StringComparison.Ordinal)), "the provisioner runs");
        folder.Host.Cancel();
        Assert.Equal(FailureClass.Cancelled, (await Assert.ThrowsAsync<StepFailedException>(() => running)).Failure);
        Assert.Contains("terraform was interrupted while it was busy with terraform_data.slow.", folder.Host.Logged);
        Assert.Contains("The state holds now: terraform_data.a, terraform_data.slow (tainted: it will be replaced).", folder.Host.Logged);
        Assert.Contains("\"status\": \"tainted\"", folder.State, StringComparison.Ordinal);
        Assert.DoesNotContain(folder.Host.Logged, l => l.Contains("Two interrupts", StringComparison.Ordinal));
        Assert.False(File.Exists(Path.Combine(folder.Path, ".terraform.tfstate.lock.info")));
    }

    [Fact]
    public async Task TF_01_a_locked_state_is_waited_for_and_then_its_holder_is_named()
    {
        using var folder = new TerraformFolder(Slow);
        var holder = folder.Other("apply", "-auto-approve", "-no-color");
        await Eventually.True(() => folder.State.Contains("\"a\"", StringComparison.Ordinal), "the other one has begun");
        var failure = await folder.Host.Fails(FailureClass.Conflict, new TerraformPlan(), folder.PlanOptions with { LockWait = new(TimeSpan.FromSeconds(1)) });
        Assert.Matches($"is locked by {System.Environment.UserName}@.* since 20.*OperationTypeApply", failure.Message);
        Assert.Contains("terraform.unlock", failure.Hint!, StringComparison.Ordinal);
        Assert.Contains(folder.Host.Logged, l => l.StartsWith("The state is locked by ", StringComparison.Ordinal) && l.EndsWith("waiting for it at most 1s.", StringComparison.Ordinal));
        // With a local state the lock goes with its holder, though its file stays.
        holder.Kill(entireProcessTree: true);
        await holder.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True((await folder.Plan()).Changes);
    }

    [Fact]
    public async Task TF_01_a_lock_that_a_crash_left_on_a_remote_state_goes_only_by_a_step_of_its_own()
    {
        using var backend = new StateServer();
        using var folder = new TerraformFolder($$"""
            terraform {
              backend "http" {
                address        = "{{backend.Url}}state"
                lock_address   = "{{backend.Url}}lock"
                unlock_address = "{{backend.Url}}lock"
              }
            }
            {{Slow}}
            """);
        await folder.Host.Run(new TerraformPlan(), folder.PlanOptions);
        var holder = folder.Other("apply", "-auto-approve", "-no-color");
        await Eventually.True(() => backend.LockId is not null, "the other one has begun");
        holder.Kill(entireProcessTree: true);
        await holder.WaitForExitAsync(TestContext.Current.CancellationToken);
        var failure = await folder.Host.Fails(FailureClass.Conflict, new TerraformPlan(), folder.PlanOptions);
        Assert.Contains(backend.LockId!, failure.Hint!, StringComparison.Ordinal);
        var unlock = new TerraformUnlockOptions { Target = "infra", LockId = backend.LockId! };
        Assert.Equal(Effect.Destroys, Assert.Single(new TerraformUnlock().Effects(unlock)).Effect);
        await folder.Host.Run(new TerraformUnlock(), unlock);
        Assert.Null(backend.LockId);
        Assert.True((await folder.Plan()).Changes);
    }

    [Fact]
    public async Task An_update_to_values_that_are_known_only_after_it_is_not_taken_as_done_before_it()
    {
        using var folder = new TerraformFolder("resource \"terraform_data\" \"a\" { input = uuid() }\noutput \"at\" { value = terraform_data.a.output }\n");
        await folder.PlanAndApply();
        folder.Host.SavedValues.Clear();
        var options = TerraformFolder.Apply(await folder.Plan());
        Assert.Equal(ProbeVerdict.NotDone, (await folder.Host.Probe(new TerraformApply(), options)).Verdict);
        await folder.Host.Run(new TerraformApply(), options);
        var probe = await folder.Host.Probe(new TerraformApply(), options);
        Assert.Equal((ProbeVerdict.Done, 1), (probe.Verdict, probe.Outputs?.Changed));
    }

    [Fact]
    public async Task A_plan_that_changes_outputs_alone_is_done_once_the_state_holds_them()
    {
        using var folder = new TerraformFolder(One + "output \"kept\" { value = \"old\" }\noutput \"gone\" { value = 1 }\n");
        await folder.PlanAndApply();
        folder.Host.SavedValues.Clear();
        folder.Write(One + "output \"kept\" { value = \"new\" }\noutput \"added\" { value = 1 }\n");
        var options = TerraformFolder.Apply(await folder.Plan());
        Assert.Equal(ProbeVerdict.NotDone, (await folder.Host.Probe(new TerraformApply(), options)).Verdict);
        await folder.Host.Run(new TerraformApply(), options);
        var probe = await folder.Host.Probe(new TerraformApply(), options);
        Assert.Equal((ProbeVerdict.Done, "new"), (probe.Verdict, probe.Outputs?.Outputs["kept"]?.ToString()));
    }
}
