using Helix.Runbooks.Model;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Tests.Cli;
using Helix.Runbooks.Tests.Contract;
using Helix.Runbooks.Tests.House;

namespace Helix.Runbooks.Tests.Reports;

/// <summary>The page of a runbook for the day on which no screen is lit.</summary>
public sealed class RunbookPageTests
{
    public static TheoryData<string> Shipped => [.. Directory.EnumerateFiles(Path.Combine(Source.Root, "runbooks"), "*.yaml").Where(f => File.ReadLines(f).Any(l => l.StartsWith("steps:", StringComparison.Ordinal))).Select(f => Path.GetFileNameWithoutExtension(f)!).Order()];

    [Theory, MemberData(nameof(Shipped))]
    public void Every_shipped_runbook_has_a_page_with_a_box_for_each_step(string name)
    {
        var runbook = new RunbookReader(Setting.Catalog).ReadFile(Path.Combine(Source.Root, "runbooks", name + ".yaml")).Value!;
        var page = RunbookPage.Markdown(runbook, Setting.Catalog);
        Assert.All(Items.All(runbook).OfType<StepItem>(), s => Assert.Contains($"- [ ] **{s.Id}** ({s.Uses})", page, StringComparison.Ordinal));
        Assert.All(runbook.Symptoms, s => Assert.Contains($"- {s}\n", page, StringComparison.Ordinal));
        Assert.Equal(runbook.Finally.Count > 0, page.Contains("## At the end, always", StringComparison.Ordinal));
        Assert.Equal(runbook.Rescue.Count > 0, page.Contains("## The way back", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Gates_objectives_effects_and_inner_runbooks_are_on_the_page()
    {
        using var helix = new HelixHere();
        Assert.Equal(0, await helix.Run("show-runbook", Path.Combine(Source.Root, "runbooks", "full-dr-drill.yaml")));
        Assert.Contains("- RTO 4h, from the start of **failure**, until **health** has succeeded", helix.Out, StringComparison.Ordinal);
        Assert.Contains("- **begin**: group:incident_commander approves, within 2h", helix.Out, StringComparison.Ordinal);
        Assert.Contains("- **recover/go**: group:dba or group:incident_commander approves, within 30m", helix.Out, StringComparison.Ordinal);
        Assert.Contains("(the runbook `redis-restore`):", helix.Out, StringComparison.Ordinal);
        Assert.Contains("  - [ ] **restore** (redis.restore): Load it. Destroys redis (all keys of the server).", helix.Out, StringComparison.Ordinal);
        Assert.Contains("  - [ ] Every finding has an owner and a due date", helix.Out, StringComparison.Ordinal);
        Assert.Contains(" Only when `{{ steps.refused.failure != 'auth' }}`.", helix.Out, StringComparison.Ordinal);
    }
}
