using System.Text.Json.Nodes;
using Helix.Runbooks.Steps.Processes;
using Xunit;

namespace Helix.Runbooks.Tests.Cli;

/// <summary>Runs from the command line to the exit code, with the real engine, store and steps.</summary>
public sealed partial class RunTests : IDisposable
{
    readonly HelixHere _helix = new();

    public RunTests()
    {
        Directory.CreateDirectory(Path.Combine(_helix.Folder, "shelf"));
        _helix.Write("notes/hello.txt", "still here\n");
        _helix.Write("here.yaml", $"apiVersion: helix.runbooks/v1\nname: here\ntargets:\n  shelf: {{ kind: directory, path: shelf }}\n  service: {{ kind: http, url: \"http://127.0.0.1:1\" }}\npeople:\n  groups: {{ me: [{System.Environment.UserName}], others: [somebody-else] }}\n");
    }

    public void Dispose() => _helix.Dispose();

    const string Pack = "  - { id: pack, uses: file.archive, with: { from: notes, to: \"{{ run.work }}/notes.tar\" } }\n";
    const string Keep = "  - { id: keep, uses: backup.upload, with: { target: shelf, file: \"{{ steps.pack.file }}\", prefix: notes/, kind: files.tar, recoveryPoint: \"{{ steps.pack.recoveryPoint }}\" } }\n";
    const string Fails = "  - { id: pack_nothing, uses: file.archive, with: { from: nowhere, to: \"{{ run.work }}/x.tar\" } }\n";
    const string Gate = "  - { id: go, uses: approval, with: { message: Shall it go on?, approvers: [group:me], selfApproval: true } }\n";
    const string Post = "  - { id: post, uses: http.request, effect: changes, with: { target: service, method: POST } }\n";
    // When its folder is gone its test is over, and nobody ends a script that a killed driver left.
    const string LooksForAFile = "  - { id: look, uses: shell.run, effect: reads, with: { script: \"while [ -d $PWD -a ! -e go ]; do sleep 0.05; done\" } }\n";
    const string Tidy = "finally:\n  - { id: tidy, uses: file.remove, with: { path: \"{{ run.work }}\" } }\n";

    string[] Runbook(string name, string steps, string head = "") =>
        [_helix.Write($"{name}.yaml", $"apiVersion: helix.runbooks/v1\nname: {name}\ntitle: A test\n{head}steps:\n{steps}"), "--environment", Path.Combine(_helix.Folder, "here.yaml")];

    async Task<string> OnlyRun()
    {
        Assert.Equal(0, await _helix.Run("runs", "--json"));
        return (string)Assert.Single(_helix.Json.AsArray())!["run"]!;
    }

    [Fact]
    public async Task A_run_that_recovers_ends_with_0_and_says_what_it_did_with_the_head_of_its_record()
    {
        Assert.Equal(0, await _helix.Run(["run", .. Runbook("recovers", Pack + Keep, "objectives: { rto: 1h }\n")]));
        Assert.Contains("2 of 2 steps succeeded", _helix.Out, StringComparison.Ordinal);
        Assert.Contains("of 1h, met", _helix.Out, StringComparison.Ordinal);
        Assert.Matches("record    \\d+ events, head [0-9a-f]{64}", _helix.Out);
        Assert.Contains("[1/2] pack  file.archive  succeeded in ", _helix.Error, StringComparison.Ordinal);
        Assert.Contains("    keep | ", _helix.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_step_that_fails_where_nobody_is_there_ends_with_1_with_its_hint_and_finally_still_runs()
    {
        Assert.Equal(1, await _helix.Run(["run", .. Runbook("fails", Fails + Tidy)]));
        Assert.Contains("failed    pack_nothing: ", _helix.Out, StringComparison.Ordinal);
        Assert.Contains("tidy  file.remove  succeeded", _helix.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_runbook_input_or_environment_ends_with_2_and_nothing_is_done()
    {
        Assert.Equal(2, await _helix.Run(["run", .. Runbook("wrong", "  - { id: x, uses: file.archiv, with: {} }\n")]));
        Assert.Contains("wrong.yaml:5:", _helix.Error, StringComparison.Ordinal);
        Assert.Equal(2, await _helix.Run(["run", .. Runbook("sound", Pack), "--input", "nothing=1"]));
        Assert.Contains("nothing", _helix.Error, StringComparison.Ordinal);
        Assert.Equal(2, await _helix.Run("run", Path.Combine(_helix.Folder, "sound.yaml"), "--environment", "/nowhere.yaml"));
        Assert.Contains("There is no environment '/nowhere.yaml'.", _helix.Error, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run("runs", "--json"));
        Assert.Empty(_helix.Json.AsArray());
    }

    [Fact]
    public async Task A_missed_objective_ends_with_3()
    {
        Assert.Equal(3, await _helix.Run(["run", .. Runbook("late", Pack, "objectives: { rto: 4h }\n"), "--declared-at", "2026-01-01T00:00:00Z", "--incident", "INC-42"]));
        Assert.Contains("the RTO of 4h was missed", _helix.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gate_without_a_terminal_ends_with_4_and_the_one_command_that_goes_on_and_it_does()
    {
        Assert.Equal(4, await _helix.Run(["run", .. Runbook("asks", Pack + Gate + Keep), "--json"]));
        var next = (string)_helix.Json["next"]!;
        Assert.Equal(("waiting", 4, "approval"), ((string)_helix.Json["end"]!, (int)_helix.Json["exitCode"]!, (string)_helix.Json["questions"]![0]!["kind"]!));
        Assert.EndsWith("--resume", next, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run(next.Replace("'", "", StringComparison.Ordinal).Split(' ')[1..]));
        Assert.Contains("3 of 3 steps succeeded", _helix.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rejected_gate_ends_with_5_and_needs_a_reason()
    {
        Assert.Equal(4, await _helix.Run(["run", .. Runbook("asks", Gate + Pack)]));
        var run = await OnlyRun();
        Assert.Equal(2, await _helix.Run("reject", run, "go"));
        Assert.Equal(5, await _helix.Run("reject", run, "go", "--reason", "wrong day", "--resume"));
        Assert.Contains("wrong day", _helix.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_run_ends_with_5_and_its_finally_has_run()
    {
        Assert.Equal(4, await _helix.Run(["run", .. Runbook("asks", Gate + Pack + Tidy)]));
        Assert.Equal(5, await _helix.Run("cancel", await OnlyRun(), "--reason", "not needed any more", "--resume"));
        Assert.Contains("tidy  file.remove  succeeded", _helix.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_target_that_another_run_holds_ends_with_11_and_says_who()
    {
        Assert.Equal(4, await _helix.Run(["run", .. Runbook("first", Gate + Post)]));
        var holder = await OnlyRun();
        Assert.Equal(11, await _helix.Run(["run", .. Runbook("second", Gate + Post)]));
        Assert.Contains(holder, _helix.Error, StringComparison.Ordinal);
        Assert.Contains("Hint:", _helix.Error, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run("locks", "list", "--json"));
        var held = Assert.Single(_helix.Json.AsArray())!;
        Assert.Equal((holder, "service", false), ((string)held["run"]!, (string)held["target"]!, (bool)held["shared"]!));
        Assert.Equal(0, await _helix.Run("locks", "break", (string)held["identity"]!, "--reason", "the first one is not needed"));
        Assert.Equal(4, await _helix.Run(["run", .. Runbook("second", Gate + Post)]));
    }

    [Fact]
    public async Task An_answer_of_somebody_who_may_not_is_refused_with_2_and_the_run_still_waits()
    {
        Assert.Equal(4, await _helix.Run(["run", .. Runbook("asks", Gate.Replace("group:me", "group:others", StringComparison.Ordinal) + Pack)]));
        var run = await OnlyRun();
        Assert.Equal(2, await _helix.Run("approve", run, "--resume", "--json"));
        Assert.False((bool)_helix.Json["accepted"]!);
        Assert.Contains("not among those who are asked", (string)_helix.Json["message"]!, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run("status", "--json"));
        Assert.Equal("waiting", (string)_helix.Json[0]!["status"]!);
        Assert.Equal("go", (string)_helix.Json[0]!["questions"]![0]!["path"]!);
    }

    [Fact]
    public async Task At_a_terminal_the_question_is_asked_there_and_then()
    {
        Assert.Equal(0, await _helix.Run(["run", .. Runbook("asks", Pack + Gate + Keep)], typed: "nonsense\napp\n"));
        Assert.Contains("Shall it go on?", _helix.Error, StringComparison.Ordinal);
        Assert.Contains("'nonsense' is none of them.", _helix.Error, StringComparison.Ordinal);
        Assert.Contains("✔ keep", _helix.Error, StringComparison.Ordinal);
        Assert.Contains("3 of 3 steps succeeded", _helix.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task At_a_terminal_a_failed_step_asks_what_to_do()
    {
        Assert.Equal(0, await _helix.Run(["run", .. Runbook("fails", Fails + Pack)], typed: "skip\nnot needed today\n"));
        Assert.Contains("reason: ", _helix.Error, StringComparison.Ordinal);
        Assert.Contains("1 skipped", _helix.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task At_a_terminal_somebody_else_answers_while_this_one_waits()
    {
        var waits = Runbook("asks", Pack + Gate.Replace("group:me", "group:others", StringComparison.Ordinal));
        using var other = new HelixProcess(_helix.Store, ["run", .. waits]);
        Assert.Equal(4, (await other.End()).Code);
        var run = await OnlyRun();
        var here = _helix.Run(["resume", run], typed: "");
        await Eventually.True(async () =>
        {
            using var cancel = new HelixProcess(_helix.Store, ["cancel", run, "--reason", "enough"]);
            return (await cancel.End()).Code == 0;
        }, "the run is cancelled from another process");
        Assert.Equal(5, await here);
        Assert.Contains("others may answer.", _helix.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_C_suspends_with_130_and_a_resume_goes_on()
    {
        using var process = new HelixProcess(_helix.Store, ["run", .. Runbook("waits", Pack + LooksForAFile + Keep)]);
        await Eventually.True(async () => await _helix.Run("runs", "--json") == 0 && _helix.Json.AsArray().Count == 1
            && await _helix.Run("show", (string)_helix.Json[0]!["run"]!) == 0 && _helix.Out.Contains("▶ look", StringComparison.Ordinal), "the step runs");
        using var kill = System.Diagnostics.Process.Start("kill", ["-INT", process.Id.ToString()]);
        var (code, output, error) = await process.End();
        Assert.True(code == 130, $"{code}\n{output}\n{error}");
        Assert.Contains("helix resume ", output, StringComparison.Ordinal);
        _helix.Write("go", "");
        Assert.Equal(0, await _helix.Run("resume", await OnlyRun()));
        Assert.Contains("3 of 3 steps succeeded", _helix.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(null, true)]
    [InlineData("", false)]
    public async Task A_screen_that_is_gone_before_a_run_or_in_the_middle_of_it_does_not_keep_the_run_from_its_end(string? typed, bool before)
    {
        using var screen = new ScreenThatGoes { IsGone = before };
        Assert.Equal(0, await _helix.Run(["run", .. Runbook("unseen", Pack + Keep)], typed, screen: screen));
        Assert.True(screen.IsGone);
        Assert.Contains("2 of 2 steps succeeded", _helix.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fault_that_nobody_can_read_of_still_ends_with_its_exit_code()
    {
        using var screen = new ScreenThatGoes { IsGone = true };
        Assert.Equal(2, await _helix.Run(["show", "nothing"], screen: screen));
    }

    /// <summary>As a terminal whose connection broke: whoever writes after the first mention of a step gets an error.</summary>
    sealed class ScreenThatGoes : StringWriter
    {
        public bool IsGone { get; set; }

        public override void Write(char value) => Write(value.ToString());
        public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));
        public override void WriteLine(string? value) => Write(value + "\n");

        public override void Write(string? value)
        {
            if (IsGone)
                throw new IOException("Input/output error");
            base.Write(value);
            IsGone = value?.Contains("pack", StringComparison.Ordinal) == true;
        }
    }

    [Fact]
    public async Task A_terminal_that_hangs_up_twice_suspends_the_run_and_kills_nothing()
    {
        const string Step = "  - { id: look, uses: shell.run, effect: reads, with: { script: \"trap 'touch heard; until [ -e go ]; do sleep 0.05; done; touch ended; exit 1' INT; trap '' TERM; touch began; while [ -d $PWD ]; do sleep 0.05; done\" } }\n";
        using var process = new HelixProcess(_helix.Store, ["run", .. Runbook("hangs", Step)]);
        await Eventually.True(() => File.Exists(Path.Combine(_helix.Folder, "began")), "the step runs");
        process.HangUp();
        await Eventually.True(() => File.Exists(Path.Combine(_helix.Folder, "heard")), "the step is asked to end");
        process.HangUp();
        _helix.Write("go", "");
        var (code, output, error) = await process.End();
        Assert.True(code == 130, $"{code}\n{output}\n{error}");
        Assert.True(File.Exists(Path.Combine(_helix.Folder, "ended")));
        Assert.DoesNotContain("Killing.", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_in_the_background_of_a_script_ignores_what_shells_let_it_ignore_and_its_children_do_not()
    {
        using var process = HelixProcess.InBackground(_helix.Store, ["run", .. Runbook("signals", "  - { id: look, uses: command.run, effect: reads, with: { argv: [grep, Sig, /proc/self/status] } }\n")]);
        var (code, output, error) = await process.End();
        Assert.True(code == 0, $"{code}\n{output}\n{error}");
        Assert.Equal(0, await _helix.Run("logs", await OnlyRun()));
        var ignored = ulong.Parse(_helix.Out.Split("SigIgn:\t")[1][..16], System.Globalization.NumberStyles.HexNumber);
        foreach (var signal in new[] { Signal.Interrupt, Signal.Quit, Signal.Pipe })
            Assert.True((ignored >> ((int)signal - 1) & 1) == 0, $"{signal} is ignored: {ignored:x}");
    }

    [Fact]
    public async Task The_operator_is_the_account_of_the_process_whatever_the_environment_says()
    {
        using var process = new HelixProcess(_helix.Store, ["run", .. Runbook("who", Pack)],
            ("SUDO_USER", "mallory"), ("USER", "mallory"), ("LOGNAME", "mallory"), ("USERNAME", "mallory"));
        Assert.Equal(0, (await process.End()).Code);
        Assert.Equal(0, await _helix.Run("runs", "--json"));
        Assert.Equal(System.Environment.UserName, (string)_helix.Json[0]!["operator"]!);
    }

    [Fact]
    public async Task A_protected_environment_is_named_before_anything_is_destroyed()
    {
        var precious = _helix.Write("precious.yaml", $"apiVersion: helix.runbooks/v1\nname: precious\nprotected: true\ntargets:\n  shelf: {{ kind: directory, path: shelf, identity: {{ place: {System.Environment.MachineName}:{_helix.Folder}/shelf }} }}\npeople:\n  groups: {{ me: [{System.Environment.UserName}] }}\n");
        string[] destroys = [Runbook("destroys", Gate + "  - { id: lose, uses: file.remove, with: { path: notes, base: . } }\n")[0], "--environment", precious];
        Assert.Equal(2, await _helix.Run(["run", .. destroys]));
        Assert.Contains("`--confirm-environment precious`", _helix.Error, StringComparison.Ordinal);
        Assert.Equal(2, await _helix.Run(["run", .. destroys, "--confirm-environment", "other"]));
        Assert.Equal(2, await _helix.Run(["run", .. destroys], typed: "prod\n"));
        Assert.True(Directory.Exists(Path.Combine(_helix.Folder, "notes")));
        Assert.Equal(0, await _helix.Run(["run", .. destroys], typed: "precious\napprove\n"));
        Assert.False(Directory.Exists(Path.Combine(_helix.Folder, "notes")));
    }

    [Fact]
    public async Task A_run_that_ended_is_shown_logged_reported_verified_exported_noted_and_closed()
    {
        Assert.Equal(0, await _helix.Run(["run", .. Runbook("recovers", Pack + Keep)]));
        var run = await OnlyRun();
        Assert.Equal(0, await _helix.Run("show", run));
        Assert.Contains("✔ pack  file.archive  succeeded in", _helix.Out, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run("logs", run, "keep"));
        Assert.Matches("^\\d\\d:\\d\\d:\\d\\d keep \\| ", _helix.Out);
        Assert.Equal(0, await _helix.Run("note", run, "slow disk", "--finding", "--owner", "alice", "--due", "2026-04-01"));
        Assert.Equal(0, await _helix.Run("attach", run, _helix.Write("proof.txt", "seen")));
        Assert.Equal(0, await _helix.Run("close", run, "--reason", "all is well"));
        Assert.Equal(0, await _helix.Run("report", run, "--format", "json"));
        Assert.Equal("slow disk", (string)_helix.Json["findings"]![0]!["text"]!);
        var head = (string)_helix.Json["head"]!;
        var page = Path.Combine(_helix.Folder, "report.html");
        Assert.Equal(0, await _helix.Run("report", run, "--format", "html", "--output", page));
        Assert.Contains("<h2>Timeline</h2>", File.ReadAllText(page), StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run("verify-record", run, "--head", head));
        Assert.Equal(1, await _helix.Run("verify-record", run, "--head", new string('0', 64), "--json"));
        Assert.False((bool)_helix.Json["sound"]!);
        Assert.Equal(0, await _helix.Run("export", run));
        Assert.All(_helix.Out.Trim().Split('\n'), line => Assert.NotNull(JsonNode.Parse(line)));
    }

    [Fact]
    public async Task A_signed_answer_is_as_strong_as_its_signature()
    {
        var key = Path.Combine(_helix.Folder, "key");
        using (var keygen = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key])))
            await keygen!.WaitForExitAsync();
        _helix.Write("signers", $"{System.Environment.UserName} {await File.ReadAllTextAsync(key + ".pub")}");
        File.AppendAllText(Path.Combine(_helix.Folder, "here.yaml"), "allowedSigners: signers\n");
        Assert.Equal(4, await _helix.Run(["run", .. Runbook("asks", Gate + Pack)]));
        var run = await OnlyRun();
        Assert.Equal(2, await _helix.Run("approve", run, "--sign", Path.Combine(_helix.Folder, "no-such-key")));
        Assert.Equal(0, await _helix.Run("approve", run, "--sign", key, "--resume"));
        Assert.Equal(0, await _helix.Run("report", run, "--json"));
        var decision = Assert.Single(_helix.Json["decisions"]!.AsArray())!;
        Assert.Equal(("signed", true), ((string)decision["by"]!["strength"]!, (bool)decision["signed"]!));
    }

    [Fact]
    public async Task Pause_handover_takeover_and_follow_work_on_a_run_that_waits()
    {
        Assert.Equal(4, await _helix.Run(["run", .. Runbook("asks", Gate + Pack)]));
        var run = await OnlyRun();
        Assert.Equal(0, await _helix.Run("pause", run, "--reason", "the network team comes first"));
        Assert.Equal(0, await _helix.Run("handover", run));
        Assert.Equal(4, await _helix.Run("takeover", run, "--reason", "end of shift"));
        Assert.Equal(0, await _helix.Run("approve", run, "go"));
        Assert.Contains($"`helix resume {run}`", _helix.Error, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run("resume", run));
        Assert.Equal(0, await _helix.Run("show", run, "--follow"));
        Assert.Contains("pack  file.archive  succeeded", _helix.Error, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run("logs", run, "--follow"));
    }

    [Fact]
    public async Task Backups_are_listed_shown_verified_rejected_and_adopted()
    {
        Assert.Equal(0, await _helix.Run(["run", .. Runbook("recovers", Pack + Keep)]));
        string[] here = ["--environment", Path.Combine(_helix.Folder, "here.yaml")];
        Assert.Equal(0, await _helix.Run(["backups", "list", "--prefix", "notes/", "--json", .. here]));
        var key = (string)Assert.Single(_helix.Json["backups"]!.AsArray())!["key"]!;
        Assert.Equal(0, await _helix.Run(["backups", "show", key, .. here]));
        Assert.Contains("\"recoveryPoint\"", _helix.Out, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run(["backups", "verify", "latest", "--prefix", "notes/", "--json", .. here]));
        Assert.True((bool)_helix.Json["verified"]!);
        Assert.Equal(0, await _helix.Run(["backups", "reject", key, "--reason", "it is empty", .. here]));
        Assert.Equal(0, await _helix.Run(["backups", "list", "--prefix", "notes/", .. here]));
        Assert.Contains("rejected", _helix.Out, StringComparison.Ordinal);
        _helix.Write("shelf/old/dump.rdb", "REDIS0009 from long ago");
        Assert.Equal(0, await _helix.Run(["backups", "adopt", "old/dump.rdb", "--recovery-point", "2026-02-01T00:00:00Z", "--kind", "redis.rdb", .. here]));
        Assert.Equal(0, await _helix.Run(["backups", "list", "--prefix", "old/", "--json", .. here]));
        Assert.Equal("complete", (string)_helix.Json["backups"]![0]!["state"]!);
        _helix.Write("shelf/old/dump.rdb", "REDIS0009 has been changed");
        Assert.Equal(1, await _helix.Run(["backups", "verify", "old/dump.rdb", .. here]));
        Assert.Equal(2, await _helix.Run(["backups", "list", "--prefix", "old/", "--target", "nothing", .. here]));
    }

    [Fact]
    public async Task A_run_is_reopened_at_a_step_after_a_look_at_what_that_means()
    {
        Assert.Equal(0, await _helix.Run(["run", .. Runbook("recovers", Pack + Keep)]));
        var run = await OnlyRun();
        Assert.Equal(0, await _helix.Run("reopen", run, "--to", "keep", "--preview", "--json"));
        Assert.Equal("""{"kept":["pack"],"runAgain":["keep"],"stale":[],"needApproval":[]}""", _helix.Json.ToJsonString());
        Assert.Equal(2, await _helix.Run("reopen", run, "--to", "keep"));
        Assert.Equal(0, await _helix.Run("reopen", run, "--to", "keep", "--reason", "the data proved bad"));
        Assert.Contains("in 2 rounds", _helix.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_shows_and_doctor_looks_and_neither_does_anything()
    {
        var runbook = Runbook("recovers", Pack + Keep);
        Assert.Equal(0, await _helix.Run(["plan", .. runbook]));
        Assert.Contains("2 keep  backup.upload  changes shelf", _helix.Out, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run(["plan", .. runbook, "--format", "md"]));
        Assert.Contains("- [ ] **keep**", _helix.Out, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run(["plan", .. runbook, "--json"]));
        Assert.Equal("backup.upload", (string)_helix.Json["steps"]![1]!["uses"]!);
        Assert.Equal(0, await _helix.Run(["doctor", .. runbook]));
        Assert.Contains("✔ ok        target shelf", _helix.Out, StringComparison.Ordinal);
        Directory.Delete(Path.Combine(_helix.Folder, "shelf"));
        await _helix.Run(["doctor", .. runbook, "--json"]);
        Assert.Contains(_helix.Json.AsArray(), f => (string)f!["subject"]! == "target shelf" && (string)f["kind"]! != "ok");
        Assert.Equal(0, await _helix.Run("runs", "--json"));
        Assert.Empty(_helix.Json.AsArray());
    }
}
