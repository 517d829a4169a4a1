using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Commands;
using Helix.Steps.Files;
using ValueType = Helix.Runbooks.Steps.ValueType;

namespace Helix.Runbooks.Tests.Processes;

public sealed class CommandTests : IDisposable
{
    readonly TestHost _host = new();
    public void Dispose() => _host.Dispose();

    static Dictionary<string, DeclaredOutput> Outputs(params (string Name, ValueType Type, string From)[] outputs) =>
        outputs.ToDictionary(o => o.Name, o => new DeclaredOutput { Type = o.Type, From = o.From });

    [Fact]
    public async Task Outputs_are_taken_from_text_lines_and_json_with_their_types()
    {
        var json = await _host.Run(new CommandRun(), new()
        {
            Argv = ["printf", "%s", """{"n": 3, "ok": true, "list": [{"at": "2026-01-02T03:04:05Z"}, {"at": "x"}], "for": "1h30m", "a b": {"c": null}}"""],
            Outputs = Outputs(("n", ValueType.Number, "json:$.n"), ("ok", ValueType.Boolean, "json:$.ok"), ("at", ValueType.Timestamp, "json:$.list[0].at"), ("last", ValueType.Text, "json:$.list[1]['at']"),
                ("all", ValueType.List, "json:$.list"), ("it", ValueType.Object, "json:$['a b']"), ("time", ValueType.Duration, "json:$.for")),
        });
        Assert.Equal("""{"n":3,"ok":true,"at":"2026-01-02T03:04:05+00:00","last":"x","all":[{"at":"2026-01-02T03:04:05Z"},{"at":"x"}],"it":{"c":null},"time":"1h30m"}""", StepJson.ToJson(json).ToJsonString(StepJson.Options));
        var text = await _host.Run(new CommandRun(), new() { Argv = ["printf", "a\nb\n"], Outputs = Outputs(("t", ValueType.Text, "text"), ("l", ValueType.List, "lines")) });
        Assert.Equal("""{"t":"a\nb","l":["a","b"]}""", StepJson.ToJson(text).ToJsonString(StepJson.Options));
    }

    [Theory]
    [InlineData(ValueType.Number, "json:$.n", "is not a number")]
    [InlineData(ValueType.Text, "json:$.none", "no value at json:$.none")]
    public async Task An_answer_that_is_not_what_was_declared_fails(ValueType type, string from, string words)
    {
        var e = await _host.Fails(FailureClass.InvalidData, new CommandRun(), new() { Argv = ["echo", """{"n": "three"}"""], Outputs = Outputs(("n", type, from)) });
        Assert.Contains(words, e.Message);
    }

    [Fact]
    public async Task Arguments_are_taken_as_they_are()
    {
        var result = await _host.Run(new CommandRun(), new() { Argv = ["printf", "%s|", "$HOME", "a b", "*", "'\"", ";", ""], Outputs = Outputs(("x", ValueType.Text, "text")) });
        Assert.Equal("$HOME|a b|*|'\"|;||", result.Values["x"]!.ToString());
    }

    [Fact]
    public async Task Expected_exit_codes_are_a_success_and_others_are_not()
    {
        await _host.Run(new CommandRun(), new() { Argv = [Fake.Path, "exit", "3"], ExitCodes = [0, 3] });
        var e = await _host.Fails(FailureClass.Transient, new CommandRun(), new() { Argv = [Fake.Path, "fail", "4", "said so"] });
        Assert.Contains("said so", e.Message);
    }

    [Fact]
    public async Task Secrets_reach_a_command_only_through_its_environment()
    {
        var secret = _host.Canary("TOKEN");
        var options = new CommandRunOptions { Argv = ["sh", "-c", "echo $T; cat /proc/$$/cmdline >&2"], Secrets = new Dictionary<string, Secret> { ["T"] = secret } };
        await _host.Run(new CommandRun(), options);
        Assert.Contains("stdout: ***", _host.Logged);
        var e = await Assert.ThrowsAsync<StepFailedException>(() => _host.Run(new CommandRun(), options with { Argv = ["sh", "-c", "echo wrong $T >&2; exit 1"] }));
        _host.AssertNoCanary(e, await _host.Plan(new CommandRun(), options));
    }

    [Fact]
    public async Task Standard_output_goes_to_a_file_that_appears_only_after_success()
    {
        await _host.Run(new CommandRun(), new() { Argv = [Fake.Path, "bytes"], Stdout = "out/file" });
        Assert.Equal(Enumerable.Range(0, 256).Select(i => (byte)i), await File.ReadAllBytesAsync(Path.Combine(_host.Folder, "out/file")));
        await _host.Fails(FailureClass.Transient, new ShellRun(), new() { Script = "echo half; exit 1", Stdout = "out/broken" });
        Assert.Equal(["file"], Directory.EnumerateFiles(Path.Combine(_host.Folder, "out")).Select(Path.GetFileName));
    }

    [Fact]
    public async Task What_a_killed_attempt_has_written_beside_its_file_is_removed_by_the_next()
    {
        var path = Path.Combine(_host.Folder, "file");
        await File.WriteAllTextAsync(Unfinished.NameFor(_host.Context(), path), new string('x', 1000));
        await _host.Run(new CommandRun(), new() { Argv = ["echo", "whole"], Stdout = "file" });
        Assert.Equal("whole\n", await File.ReadAllTextAsync(path));
        Assert.Equal(["file"], Directory.EnumerateFiles(_host.Folder).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_script_fails_at_its_first_failing_command_also_in_a_pipe_and_for_an_unset_variable()
    {
        await _host.Fails(FailureClass.Transient, new ShellRun(), new() { Script = "false | cat; touch done" });
        await _host.Fails(FailureClass.Transient, new ShellRun(), new() { Script = "echo $NOT_SET_ANYWHERE; touch done" });
        Assert.False(File.Exists(Path.Combine(_host.Folder, "done")));
        var result = await _host.Run(new ShellRun(), new() { Script = "cd \"$2\"; echo \"$X $1\"", Args = ["a b", "/"], Env = new Dictionary<string, string> { ["X"] = "$(x)" }, Outputs = Outputs(("o", ValueType.Text, "text")) });
        Assert.Equal("$(x) a b", result.Values["o"]!.ToString());
        await File.WriteAllTextAsync(Path.Combine(_host.Folder, "s.sh"), "echo file $1");
        Assert.Equal("file 1", (await _host.Run(new ShellRun(), new() { File = "s.sh", Args = ["1"], Outputs = Outputs(("o", ValueType.Text, "text")) })).Values["o"]!.ToString());
    }

    [Fact]
    public async Task After_a_crash_what_a_command_creates_tells_whether_it_was_done()
    {
        var step = new CommandRun();
        var options = new CommandRunOptions { Argv = ["touch", "made"], Creates = "made" };
        Assert.Equal(ProbeVerdict.Unknown, (await _host.Probe(step, options with { Creates = null })).Verdict);
        Assert.Equal(ProbeVerdict.NotDone, (await _host.Probe(step, options)).Verdict);
        await _host.Run(step, options);
        Assert.Equal(ProbeVerdict.Done, (await _host.Probe(step, options)).Verdict);
        Assert.Equal(ProbeVerdict.Unknown, (await _host.Probe(step, options with { Outputs = Outputs(("x", ValueType.Text, "text")) })).Verdict);
    }

    [Fact]
    public void The_targets_of_a_command_carry_its_effect()
    {
        Assert.Equal(["a", "b"], new CommandRun().Effects(new() { Argv = ["x"], Targets = ["a", "b"] }).Select(e => e.Target));
        Assert.Null(new CommandRun().Effects(new() { Argv = ["x"] }).Single().Target);
    }

    [Fact]
    public void Options_are_read_from_a_runbook()
    {
        var with = JsonNode.Parse("""{"argv": ["x"], "secrets": {"T": "env:T"}, "exitCodes": [0, 1], "outputs": {"a": {"type": "number", "from": "text"}}}""")!;
        var options = (CommandRunOptions)StepJson.Bind(with, typeof(CommandRunOptions));
        Assert.Equal("env:T", options.Secrets["T"].References[0]);
        Assert.Equal(ValueType.Number, options.Outputs["a"].Type);
    }
}
