using System.Diagnostics;
using Helix.Cli;
using Helix.Runbooks.Steps;
using Xunit;

namespace Helix.Runbooks.Tests.Cli;

public sealed class CommandLineTests : IDisposable
{
    readonly HelixHere _helix = new();

    public void Dispose() => _helix.Dispose();

    public static TheoryData<string> EveryCommand => [.. Table.OfCommands.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(EveryCommand))]
    public async Task The_help_of_every_command_says_what_it_does_and_shows_an_example(string command)
    {
        Assert.Equal(0, await _helix.Run(command, "--help"));
        Assert.Contains("Description:", _helix.Out, StringComparison.Ordinal);
        Assert.Contains($"Example:\n  helix {command}", _helix.Out, StringComparison.Ordinal);
        Assert.DoesNotContain(_helix.Out.Split('\n'), line => line.TrimEnd().EndsWith("()", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_help_of_helix_lists_every_command()
    {
        Assert.Equal(0, await _helix.Run("--help"));
        Assert.All(Table.OfCommands, c => Assert.Contains($"\n  {c.Name} ", _helix.Out, StringComparison.Ordinal));
    }

    /// <summary>The help must not grow with the store, nor list the whole catalogue in place of a name.</summary>
    [Theory]
    [InlineData("explain", "<STEP|FIELD>")]
    [InlineData("decide", "<CHOICE>")]
    [InlineData("show", "<RUN>")]
    public async Task The_help_calls_an_argument_by_its_name(string command, string argument)
    {
        Assert.Equal(0, await _helix.Run(command, "--help"));
        Assert.Matches($"(?m)^  {System.Text.RegularExpressions.Regex.Escape(argument)}  ", _helix.Out);
        Assert.Equal(0, await _helix.Run("--help"));
        Assert.DoesNotContain("redis.restore|", _helix.Out, StringComparison.Ordinal);
        Assert.Contains($"  {command} <", _helix.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("…")]
    [InlineData("ticket=…")]
    public async Task A_gap_of_a_command_that_was_shown_is_no_answer(string gap)
    {
        Assert.Equal(2, await _helix.Run("approve", "some-run", "go", gap.Contains('=') ? "--input" : "--reason", gap));
        Assert.Contains("is a gap of the command that was shown", _helix.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_command_ends_with_2_and_says_what_was_meant()
    {
        Assert.Equal(2, await _helix.Run("aprove"));
        Assert.Equal("There is no command 'aprove'.\nHint: Did you mean `helix approve`?\n", _helix.Error);
        Assert.Equal("", _helix.Out);
    }

    [Fact]
    public async Task An_unknown_option_ends_with_2_and_names_the_help()
    {
        Assert.Equal(2, await _helix.Run("runs", "--opne"));
        Assert.Contains("--opne", _helix.Error, StringComparison.Ordinal);
        Assert.Contains("Hint: `helix runs --help`", _helix.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_argument_ends_with_2()
    {
        Assert.Equal(2, await _helix.Run("locks", "break", "x"));
        Assert.Contains("--reason", _helix.Error, StringComparison.Ordinal);
        Assert.Contains("`helix locks break --help`", _helix.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_run_ends_with_2_and_a_hint()
    {
        Assert.Equal(2, await _helix.Run("show", "nothing-like-this"));
        Assert.Contains("Hint:", _helix.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_store_is_made_where_it_is_asked_for_with_its_folders()
    {
        Assert.Equal(0, await _helix.Run("runs"));
        Assert.Equal("No run yet.\n", _helix.Out);
        Assert.True(File.Exists(_helix.Store));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(_helix.Store)!));
    }

    [Theory]
    [InlineData("runs")]
    [InlineData("status")]
    [InlineData("locks", "list")]
    public async Task An_empty_store_gives_empty_lists_as_json(params string[] command)
    {
        Assert.Equal(0, await _helix.Run([.. command, "--json"]));
        Assert.Equal("[]", _helix.Json.ToJsonString());
    }

    [Fact]
    public async Task A_folder_that_is_gone_is_named_as_what_is_wrong()
    {
        var runbook = _helix.Write("noop.yaml", "apiVersion: helix.runbooks/v1\nname: noop\ntitle: Noop\nsteps:\n  - { id: a, uses: shell.run, effect: reads, with: { script: \"true\" } }\n");
        var environment = _helix.Write("e.yaml", "apiVersion: helix.runbooks/v1\nname: e\ntargets: {}\n");
        using var process = HelixProcess.Nowhere(_helix.Store, ["run", runbook, "--environment", environment]);
        var (code, _, error) = await process.End();
        Assert.Equal(2, code);
        Assert.StartsWith("The folder that helix was started in is gone.\nHint: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_place_that_cannot_be_written_is_no_mistake_of_helix()
    {
        var file = _helix.Write("file", "");
        Assert.Equal(2, await _helix.Run("init", Path.Combine(file, "first")));
        Assert.Contains(file, _helix.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("mistake in helix", _helix.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_note_may_begin_as_people_address_each_other_and_only_a_finding_has_an_owner()
    {
        Assert.Equal(2, await _helix.Run("note", "260301-0200", "@bob look at this"));
        Assert.Contains("no run", _helix.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(2, await _helix.Run("note", "260301-0200", "slow", "--owner", "bob"));
        Assert.Contains("Only a finding has an owner", _helix.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_is_typed_without_an_echo_also_where_the_talk_goes_to_a_file()
    {
        using var talk = new StringWriter();
        using var typed = new StringReader("hidden\nnext\n");
        var terminal = new Terminal { Out = TextWriter.Null, Error = talk, In = typed, Interactive = false, InIsTerminal = true };
        Assert.Equal("hidden", terminal.ReadHidden("token: "));
    }

    [Fact]
    public async Task Validate_and_explain_do_not_touch_the_store()
    {
        var runbook = _helix.Write("looks.yaml", "apiVersion: helix.runbooks/v1\nname: looks\ntitle: Looks\nsteps:\n  - { id: pause, uses: wait, with: { for: 1s } }\n");
        Assert.Equal(0, await _helix.Run("validate", runbook));
        Assert.Equal(0, await _helix.Run("explain", "approval"));
        Assert.False(Directory.Exists(Path.GetDirectoryName(_helix.Store)));
    }

    [Theory]
    [InlineData("2026-03-01T02:00:00Z", "2026-03-01T02:00:00Z")]
    [InlineData("2026-03-01T03:00+01:00", "2026-03-01T02:00:00Z")]
    [InlineData("2026-03-01 02:00Z", "2026-03-01T02:00:00Z")]
    public void A_moment_is_read_with_its_offset(string text, string utc) =>
        Assert.Equal(DateTimeOffset.Parse(utc, System.Globalization.CultureInfo.InvariantCulture), Given.Moment(text, "--occurred-at"));

    [Theory]
    [InlineData("2026-03-01T02:00:00")]
    [InlineData("02:00")]
    [InlineData("yesterday")]
    [InlineData("2026-13-01T02:00:00Z")]
    public void A_moment_without_offset_or_sense_is_refused_with_the_right_form(string text) =>
        Assert.Contains("2026-03-01T02:00:00Z", Assert.Throws<RunbookException>(() => Given.Moment(text, "--occurred-at")).Hint, StringComparison.Ordinal);

    [Fact]
    public void An_input_keeps_everything_after_the_first_equals_sign()
    {
        Assert.Equal("""{"a":"b=c","empty":""}""", Given.Pairs(["a=b=c", "empty="]).ToJsonString());
        Assert.Throws<RunbookException>(() => Given.Pairs(["a"]));
        Assert.Throws<RunbookException>(() => Given.Pairs(["a=1", "a=2"]));
    }

    [Theory]
    [InlineData("app", "approve")]
    [InlineData("locks ", "break")]
    [InlineData("run --mo", "--mode")]
    [InlineData("explain appr", "approval")]
    [InlineData("report --format h", "html")]
    public async Task Words_are_completed(string typed, string expected)
    {
        var line = "helix " + typed;
        using var process = new HelixProcess(_helix.Store, [$"[suggest:{line.Length}]", line]);
        Assert.Contains(expected, (await process.End()).Out.Split('\n'));
    }

    [Fact]
    public async Task The_bash_script_completes_in_bash()
    {
        Assert.Equal(0, await _helix.Run("completion", "bash"));
        var script = $"""
            helix() {'{'} dotnet "{Programs.HelixDll}" "$@"; {'}'}
            {_helix.Out}
            COMP_LINE="helix app" COMP_POINT=9 COMP_WORDS=(helix app) COMP_CWORD=1
            _helix
            printf '%s\n' "${"{COMPREPLY[@]}"}"
            """;
        using var bash = Process.Start(new ProcessStartInfo("bash", ["-euc", script]) { RedirectStandardOutput = true })!;
        var said = await bash.StandardOutput.ReadToEndAsync();
        await bash.WaitForExitAsync();
        Assert.Equal("approve\n", said);
    }

    [Fact]
    public async Task The_zsh_script_defines_the_completion_and_other_shells_are_refused()
    {
        Assert.Equal(0, await _helix.Run("completion", "zsh"));
        Assert.StartsWith("#compdef helix\n", _helix.Out, StringComparison.Ordinal);
        Assert.Equal(2, await _helix.Run("completion", "fish"));
    }

    [Fact]
    public async Task A_reader_that_has_seen_enough_is_no_error()
    {
        using var bash = Process.Start(new ProcessStartInfo("bash", ["-c", $"set -o pipefail; dotnet '{Programs.HelixDll}' explain | true"]) { RedirectStandardError = true })!;
        var error = await bash.StandardError.ReadToEndAsync();
        await bash.WaitForExitAsync();
        Assert.Equal("", error);
        Assert.Equal(0, bash.ExitCode);
    }
}
