using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Runs.Simulations;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Contract;

/// <summary>What every step type keeps, whatever it does.</summary>
public sealed partial class StepContractTests
{
    public static TheoryData<string> Names => [.. Setting.Catalog.Steps.Keys];

    [Theory, MemberData(nameof(Names))]
    public void It_is_named_system_dot_verb_and_says_in_a_line_what_it_does(string name)
    {
        var about = Setting.Catalog.Steps[name].About;
        string[] single = ["assert", "notify"];
        Assert.True(single.Contains(name) || NameForm().IsMatch(name), $"{name} is not system.verb");
        Assert.Matches(@"^[A-Z].{10,118}\.$", about.Summary);
    }

    [Theory, MemberData(nameof(Names))]
    public void Every_option_is_described_in_a_sentence(string name) =>
        Assert.Empty(Undescribed(ShapeOf.Type(Setting.Catalog.Steps[name].OptionsType), "", []));

    internal static IEnumerable<string> Undescribed(Shape shape, string path, HashSet<string> seen) => shape switch
    {
        ListShape list => Undescribed(list.Element, path + "[]", seen),
        MapShape map => Undescribed(map.Value, path + "{}", seen),
        RecordShape record when seen.Add(record.Name) => record.Members.Values.SelectMany(m =>
            Undescribed(m.Shape, $"{path}.{m.Name}", seen).Concat(m.Description is { } d && d.TrimEnd().EndsWith('.') ? [] : [$"{path}.{m.Name}: {m.Description ?? "no description"}"])),
        _ => [],
    };

    [Theory, MemberData(nameof(Names))]
    public void Options_bind_from_their_examples_and_defaults_are_within_their_ranges(string name)
    {
        using var setting = new Setting();
        var options = setting.OptionsOf(name);
        Assert.Empty(StepJson.Faults(options));
        Assert.All(ShapeOf.Record(options.GetType()).Members.Values.Where(m => m is { Required: false, Default: not null, Rules: not null }),
            m => Assert.Empty(m.Rules!.Faults(m.Name, m.Default!)));
    }

    [Theory, MemberData(nameof(Names))]
    public void A_required_option_has_an_example_or_names_a_target_or_is_one_of_few(string name) =>
        Assert.Empty(ShapeOf.Record(Setting.Catalog.Steps[name].OptionsType).Members.Values
            .Where(m => m is { Required: true, Example: null, TargetKinds: null } && m.Shape is TextShape or AnyShape or ListShape or MapShape or RecordShape)
            .Select(m => m.Name));

    [Theory, MemberData(nameof(Names))]
    public void Its_effects_depend_on_its_options_alone_and_name_only_targets_of_these(string name)
    {
        using var setting = new Setting();
        var before = setting.Snapshot();
        var step = setting.Type(name).Step;
        var effects = step.EffectsOf(setting.OptionsOf(name));
        Assert.Equal(effects, step.EffectsOf(setting.OptionsOf(name)));
        var given = StepJson.ToJson(setting.OptionsOf(name)).ToJsonString();
        Assert.All(effects, e => Assert.True(e.Target is null || given.Contains($"\"{e.Target}\"", StringComparison.Ordinal), $"{e.Target} is no target of the options"));
        Assert.Equal(before, setting.Snapshot());
    }

    [Theory, MemberData(nameof(Names))]
    public async Task A_plan_has_no_effect_and_comes_soon(string name)
    {
        using var setting = new Setting();
        var before = setting.Snapshot();
        await Ends(() => setting.Type(name).Step.PlanWith(setting.OptionsOf(name), setting.Host.PlanContext()));
        Assert.Equal(before, setting.Snapshot());
        Assert.Empty(setting.Host.EverLeft);
        Assert.Empty(setting.Host.SavedValues);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task Cancelled_before_its_start_it_ends_at_once_and_leaves_nothing(string name)
    {
        using var setting = new Setting();
        var options = setting.OptionsOf(name);
        var before = setting.Snapshot();
        setting.Host.Cancel();
        var ended = await Ends(() => setting.Type(name).Step.RunWith(options, setting.Host.Context()));
        if (ended is null)
            Assert.All(setting.Type(name).Step.EffectsOf(options), e => Assert.Equal(Effect.Reads, e.Effect));
        Assert.Empty(setting.Host.Left);
        Assert.Equal(before, setting.Snapshot());
    }

    [Theory, MemberData(nameof(Names))]
    public async Task No_secret_is_in_what_it_says_logs_saves_or_starts(string name)
    {
        using var setting = new Setting();
        var step = setting.Type(name).Step;
        var options = setting.OptionsOf(name);
        var failed = new List<object?>();
        using (setting.Host.Soon(TimeSpan.FromSeconds(2)))
        {
            failed.Add(await Ends(() => step.PlanWith(options, setting.Host.PlanContext())));
            failed.Add(await Ends(() => step.RunWith(options, setting.Host.Context())));
        }
        setting.Host.AssertNoCanary([.. failed, .. setting.Launcher.Asked]);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task Its_probe_answers_or_says_why_not(string name)
    {
        using var setting = new Setting();
        var before = setting.Snapshot();
        using (setting.Host.Soon(TimeSpan.FromSeconds(5)))
            await Ends(() => setting.Type(name).Step.ProbeWith(setting.OptionsOf(name), setting.Host.Context()));
        Assert.Equal(before, setting.Snapshot());
    }

    [Theory, MemberData(nameof(Names))]
    public void Its_outputs_come_back_from_the_journal_as_they_were(string name)
    {
        var type = Setting.Catalog.Steps[name];
        var item = new StepItem { Id = "step", Uses = name, With = [], Position = Position.None };
        var json = type.DeclaresOutputs ? new JsonObject { ["text"] = "a", ["list"] = new JsonArray(1, 2) } : OutputStandIn.For(item, type, "/work/file");
        var outputs = StepJson.Bind(json, type.OutputsType);
        var once = StepJson.ToJson(outputs);
        Assert.True(JsonNode.DeepEquals(once, StepJson.ToJson(StepJson.Bind(once, type.OutputsType))), once.ToJsonString());
        Assert.All(json, o => Assert.True(once.ContainsKey(o.Key), $"the output {o.Key} is lost"));
    }

    [Fact]
    public void No_two_step_types_differ_only_in_their_letters()
    {
        var names = Setting.Catalog.Steps.Keys.Concat(EngineItems.All.Keys).Append(EngineItems.Runbook).ToList();
        Assert.Equal(names.Count, names.Select(n => n.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant()).Distinct().Count());
    }

    /// <summary>Null when it came to its end; else the exception, which is one of those that the engine expects.</summary>
    static async Task<Exception?> Ends(Func<Task> work)
    {
        var watch = Stopwatch.StartNew();
        var running = Task.Run(work);
        var first = await Task.WhenAny(running, Task.Delay(Hang.Limit, TimeProvider.System, CancellationToken.None));
        Assert.True(first == running, $"It has not ended after {watch.Elapsed.TotalSeconds:0.0} s.");
        try
        {
            await running;
            return null;
        }
        catch (Exception e)
        {
            Assert.True(e is StepFailedException or RunbookException or OperationCanceledException, $"No exception that the engine knows: {e}");
            return e;
        }
    }

    [GeneratedRegex(@"^[a-z][a-z0-9]*\.[a-z][a-z0-9]*([-_][a-z0-9]+)*$")]
    private static partial Regex NameForm();
}
