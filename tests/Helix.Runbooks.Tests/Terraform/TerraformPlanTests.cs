using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Terraform;

namespace Helix.Runbooks.Tests.Terraform;

public sealed class TerraformPlanTests
{
    const string One = "resource \"terraform_data\" \"a\" { input = \"one\" }\n";
    const string Two = One + "resource \"terraform_data\" \"b\" { input = terraform_data.a.output }\n";

    [Fact]
    public async Task TF_02_exit_code_2_of_a_detailed_plan_means_changes_and_1_is_a_failure()
    {
        using var folder = new TerraformFolder(One);
        var plan = await folder.Plan();
        Assert.True(plan.Changes);
        Assert.Equal("1 to add, 0 to change, 0 to destroy", plan.Summary);
        await folder.Host.Run(new TerraformApply(), TerraformFolder.Apply(plan));
        Assert.False((await folder.Plan()).Changes);
        folder.Write(One + "resource \"terraform_data\" \"b\" { input = var.nothing }\n");
        var failure = await folder.Host.Fails(FailureClass.InvalidData, new TerraformPlan(), folder.PlanOptions);
        Assert.Contains("main.tf:2: Reference to undeclared input variable", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plan_is_saved_for_its_owner_only_and_says_each_action_and_its_digest()
    {
        using var folder = new TerraformFolder(Two);
        var plan = await folder.Plan();
        Assert.Equal(["create terraform_data.a", "create terraform_data.b"], plan.Actions);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(plan.File));
        Assert.Equal(plan.Sha256, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(plan.File))));
        Assert.Contains(folder.Host.Logged, l => l.Contains("# terraform_data.b will be created", StringComparison.Ordinal));
        Assert.Equal("", folder.State);
    }

    [Fact]
    public async Task TF_03_a_target_that_pulls_in_others_is_refused_until_they_are_allowed()
    {
        using var folder = new TerraformFolder(Two);
        await folder.PlanAndApply();
        File.Delete(folder.PlanFile);
        var removal = folder.PlanOptions with { Destroy = true, Only = ["terraform_data.a"] };
        var failure = await folder.Host.Fails(FailureClass.Conflict, new TerraformPlan(), removal);
        Assert.Contains("also delete terraform_data.b", failure.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(folder.PlanFile));
        var plan = await folder.Plan(removal with { Allow = ["terraform_data.a", "terraform_data.b"] });
        Assert.Equal(["delete terraform_data.a", "delete terraform_data.b"], plan.Actions.Order());
        Assert.True(plan.Destroys);
    }

    [Fact]
    public async Task TF_03_a_mistyped_target_is_an_error_and_no_empty_plan()
    {
        using var folder = new TerraformFolder(Two);
        var failure = await folder.Host.Fails(FailureClass.InvalidData, new TerraformPlan(), folder.PlanOptions with { Only = ["terraform_data.aa"] });
        Assert.Contains("'terraform_data.aa' names no resource", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_removal_of_a_module_that_is_gone_already_is_an_empty_plan_and_no_error()
    {
        using var folder = new TerraformFolder("module \"site\" { source = \"./site\" }\n");
        Directory.CreateDirectory(Path.Combine(folder.Path, "site"));
        File.WriteAllText(Path.Combine(folder.Path, "site", "main.tf"), One);
        var removal = folder.PlanOptions with { Destroy = true, Only = ["module.site"] };
        Assert.False((await folder.Plan(removal)).Changes);
        var failure = await folder.Host.Fails(FailureClass.InvalidData, new TerraformPlan(), removal with { Only = ["module.sites"] });
        Assert.Contains("There are: module.site.terraform_data.a", failure.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Variables_and_workspace_come_from_the_target_and_a_secret_variable_is_nowhere_to_be_seen()
    {
        using var folder = new TerraformFolder("""
            variable "size" { type = number }
            variable "password" {}
            resource "terraform_data" "a" { input = "${var.size} ${sha256(var.password)}" }
            output "size" { value = var.size }
            output "password" {
              value     = var.password
              sensitive = true
            }
            """);
        var secret = folder.Host.Canary("PASSWORD");
        folder.Host.Add("green", folder.Target with
        {
            Workspace = "green",
            Variables = new Dictionary<string, string> { ["size"] = "3" },
            SecretVariables = new Dictionary<string, Secret> { ["password"] = secret },
        });
        var plan = await folder.Plan(folder.PlanOptions with { Target = "green" });
        var done = await folder.Host.Run(new TerraformApply(), TerraformFolder.Apply(plan) with { Target = "green" });
        Assert.Equal("3", done.Outputs["size"]!.ToString());
        Assert.Equal("***", done.Outputs["password"]!.ToString());
        Assert.True(Directory.Exists(Path.Combine(folder.Path, "terraform.tfstate.d", "green")));
        folder.Host.AssertNoCanary(plan, done);
    }

    [Fact]
    public async Task The_place_of_a_target_is_where_its_state_is()
    {
        using var folder = new TerraformFolder(One);
        var place = await folder.Target.ReadPlace(folder.Host.PlanContext());
        Assert.Equal($"{System.Environment.MachineName}:{folder.Path}#default", place);
        folder.Write("terraform {\n  backend \"s3\" {}\n}\n");
        Assert.Null(await folder.Target.ReadPlace(folder.Host.PlanContext()));
        Directory.CreateDirectory(Path.Combine(folder.Path, ".terraform"));
        File.WriteAllText(Path.Combine(folder.Path, ".terraform", "terraform.tfstate"), """{"backend":{"type":"s3","config":{"bucket":"state","key":"prod.tfstate","secret_key":"hidden"}}}""");
        Assert.Equal("s3:state/prod.tfstate#default", await folder.Target.ReadPlace(folder.Host.PlanContext()));
        Assert.StartsWith("terraform ", await folder.Target.Check(folder.Host.PlanContext()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "size": 1 }""", true)]    // the state as it was before the plan looked at the world
    [InlineData("""{ "size": 2 }""", false)]   // the apply came to it
    public void A_lost_resource_whose_old_values_are_still_in_the_state_was_not_made_anew(string now, bool untouched)
    {
        var plan = new PlanContents((JsonObject)JsonNode.Parse("""
            { "resource_drift": [{ "address": "x.web", "change": { "actions": ["delete"], "before": { "size": 1 }, "after": null } }],
              "resource_changes": [{ "address": "x.web", "change": { "actions": ["create"], "before": null, "after": { "size": 1 } } }] }
            """)!);
        var there = new Dictionary<string, JsonObject> { ["x.web"] = new() { ["values"] = JsonNode.Parse(now) } };
        Assert.Equal(untouched, SavedPlan.IsUntouched(plan.Resources.Single(), plan, there));
    }

    [Fact]
    public void What_was_changed_behind_terraforms_back_is_drift()
    {
        var plan = new PlanContents((JsonObject)JsonNode.Parse("""
            { "resource_drift": [{ "address": "aws_instance.web", "change": { "actions": ["update"] } }],
              "resource_changes": [{ "address": "aws_instance.web", "change": { "actions": ["delete", "create"] } }, { "address": "data.x.y", "change": { "actions": ["read"] } }] }
            """)!);
        Assert.Equal("update aws_instance.web", Assert.Single(plan.Drift).ToString());
        Assert.Equal("replace aws_instance.web", Assert.Single(plan.Changes).ToString());
        Assert.True(plan.Destroys);
    }
}
