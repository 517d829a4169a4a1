using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Contract;

/// <summary>What every kind of target keeps.</summary>
public sealed class TargetContractTests
{
    public static TheoryData<string> Kinds => [.. Setting.Catalog.TargetKinds.Keys];

    [Theory, MemberData(nameof(Kinds))]
    public void It_says_in_a_line_what_it_is_and_describes_its_options(string kind)
    {
        var known = Setting.Catalog.TargetKinds[kind];
        Assert.Matches(@"^[A-Z].{10,118}\.$", known.About.Summary);
        Assert.Empty(StepContractTests.Undescribed(ShapeOf.Type(known.Type), "", []));
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Its_address_comes_from_its_options_alone_and_holds_no_secret(string kind)
    {
        using var one = new Setting();
        var target = one.Host.PlanContext().Target<Target>(kind);
        Assert.NotEmpty(target.Address);
        Assert.Equal(target.Address, (target with { Name = "other" }).Address);
        one.Host.AssertNoCanary(target.Address, target.ToString(), string.Join(' ', target.Tools));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Looking_at_it_ends_in_time_and_leaves_nothing(string kind)
    {
        using var setting = new Setting();
        var before = setting.Snapshot();
        var said = new List<object?>();
        using (setting.Host.Soon(TimeSpan.FromSeconds(5)))
            foreach (var look in new Func<Target, Task<string?>>[] { t => t.ReadPlace(setting.Host.PlanContext()), async t => await t.Check(setting.Host.PlanContext()) })
                try
                {
                    said.Add(await look(setting.Host.PlanContext().Target<Target>(kind)).WaitAsync(Hang.Limit, TimeProvider.System));
                }
                catch (Exception e) when (e is StepFailedException or RunbookException or OperationCanceledException)
                {
                    said.Add(e);
                }
        setting.Host.AssertNoCanary([.. said, .. setting.Launcher.Asked]);
        Assert.Equal(before, setting.Snapshot());
    }
}
