using System.Text;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Contract;
using Xunit;

namespace Helix.Runbooks.Tests.Language;

/// <summary>What `helix explain` shows is pasted into a runbook.</summary>
public sealed class ExplainTests
{
    public static TheoryData<string> Steps => [.. Setting.Catalog.Steps.Keys.Concat(EngineItems.All.Keys)];
    public static TheoryData<string> Kinds => [.. Setting.Catalog.TargetKinds.Keys];

    [Theory, MemberData(nameof(Steps))]
    public void The_example_of_a_step_type_is_a_step_that_can_be_used(string name)
    {
        // What the examples refer to is not there; nothing else may be wrong with them.
        string[] elsewhere = ["unknown-step", "file"];
        var step = Example(name);
        var text = $"apiVersion: helix.runbooks/v1\nname: sample\ntitle: A sample\nsteps:\n{step}\n";
        var read = new RunbookReader(Setting.Catalog).Read("sample.yaml", Encoding.UTF8.GetBytes(text), _ => null);
        Assert.Empty(read.Problems.Where(p => p.Severity == Severity.Error && !elsewhere.Contains(p.Rule)).Select(p => $"{p} [{p.Rule}]\n{text}"));
    }

    [Theory, MemberData(nameof(Kinds))]
    public void The_example_of_a_kind_of_target_is_a_target_that_can_be_used(string name)
    {
        var text = $"apiVersion: helix.runbooks/v1\nname: sample\ntargets:\n{Example(name)}\n";
        var read = new EnvironmentReader(Setting.Catalog).Read("sample.yaml", Encoding.UTF8.GetBytes(text));
        Assert.Empty(read.Problems.Where(p => p.Severity == Severity.Error).Select(p => $"{p} [{p.Rule}]\n{text}"));
    }

    [Fact]
    public void What_an_option_of_several_step_types_is_called_leads_to_them() =>
        Assert.Contains("`helix explain command.run.secrets`", Assert.Throws<RunbookException>(() => Explain.Of(Setting.Catalog, "secrets")).Hint, StringComparison.Ordinal);

    [Fact]
    public void The_variables_of_expressions_are_all_there_without_defaults_that_they_do_not_have()
    {
        var text = Explain.Of(Setting.Catalog, "expressions");
        Assert.Contains("run.startedAt (a time such as", text, StringComparison.Ordinal);
        Assert.Contains("steps.ID.succeeded (true or false)", text, StringComparison.Ordinal);
        Assert.DoesNotContain("default", text, StringComparison.Ordinal);
    }

    static string Example(string name)
    {
        var text = Explain.Of(Setting.Catalog, name);
        return text[(text.LastIndexOf("\nExample\n", StringComparison.Ordinal) + "\nExample\n".Length)..].TrimEnd();
    }
}
