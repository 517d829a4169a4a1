using System.Text.RegularExpressions;
using Xunit;

namespace Helix.Runbooks.Tests.Cli;

/// <summary>What somebody meets who uses it for the first time, and who audits it afterwards.</summary>
public sealed partial class RunTests
{
    const string Fetch = "  - { id: fetch, uses: backup.download, with: { target: shelf, backup: \"{{ steps.keep.key }}\", to: \"{{ run.work }}/back.tar\" } }\n";

    [Fact]
    public async Task The_report_gives_one_digest_for_one_content_and_says_who_was_asked_what_and_when()
    {
        var steps = Pack + Keep + Fetch + Gate;
        Assert.Equal(4, await _helix.Run(["run", .. Runbook("audited", steps)]));
        var run = await OnlyRun();
        Assert.Equal(0, await _helix.Run("approve", run, "go", "--resume"));
        Assert.Equal(0, await _helix.Run("report", run, "--format", "json"));
        var backups = _helix.Json["backups"]!.AsArray();
        Assert.Equal(2, backups.Count);
        Assert.Equal((string)backups[0]!["content"]!, (string)backups[1]!["content"]!);
        Assert.NotEqual((string)backups[0]!["content"]!, (string)backups[0]!["stored"]!);
        Assert.Null(backups[1]!["stored"]);
        Assert.Equal(0, await _helix.Run("report", run));
        Assert.Contains("asked of group:me: Shall it go on?", _helix.Out, StringComparison.Ordinal);
        Assert.Contains("by who started the run", _helix.Out, StringComparison.Ordinal);
        Assert.Contains("not measured: nobody said when it occurred", _helix.Out, StringComparison.Ordinal);
        Assert.Matches("\\| `fetch` \\| backup.download \\| changes \\| succeeded \\| \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\dZ \\| [^|]+ \\|  \\| 1 \\|", _helix.Out);
    }

    [Fact]
    public async Task The_status_of_a_run_that_is_answered_names_the_command_that_goes_on_and_not_the_answer_again()
    {
        Assert.Equal(4, await _helix.Run(["run", .. Runbook("answered", Gate)]));
        var run = await OnlyRun();
        Assert.Equal(0, await _helix.Run("status"));
        Assert.Contains($"helix approve {run} 'go#1.1' --resume", _helix.Out, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run("approve", run));
        Assert.Equal(0, await _helix.Run("status"));
        Assert.Contains("go is answered by", _helix.Out, StringComparison.Ordinal);
        Assert.Contains($"helix resume {run}", _helix.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("helix approve", _helix.Out, StringComparison.Ordinal);
    }

    const string Counts = "  - { id: count, uses: shell.run, effect: reads, with: { script: \"exit 3\", outputs: { n: { type: number } } } }\n  - { id: use, uses: assert, with: { that: \"{{ steps.count.n > 3 }}\", message: too few } }\n";

    [Fact]
    public async Task At_a_terminal_a_wrong_answer_is_asked_again_and_a_step_done_by_hand_is_asked_for_what_later_steps_use()
    {
        Assert.Equal(0, await _helix.Run(["run", .. Runbook("byhand", Counts)], typed: "go-back\nnowhere\na typing mistake\ndone\n\n7\n"));
        Assert.Contains("There is no step 'nowhere' to go back to", _helix.Error, StringComparison.Ordinal);
        Assert.Contains("output n, which later steps use (a number, or null)", _helix.Error, StringComparison.Ordinal);
        Assert.Contains("2 of 2 steps succeeded", _helix.Out, StringComparison.Ordinal);
    }

    const string ByHand = "  - { id: block, uses: manual, with: { instructions: Block the port., checklist: [rule is there], evidenceRequired: true } }\n";

    [Fact]
    public async Task At_a_terminal_a_checklist_is_ticked_and_the_proof_is_demanded()
    {
        Assert.Equal(0, await _helix.Run(["run", .. Runbook("manual", ByHand)], typed: "done\nno\nyes\n\nticket NET-7\n"));
        Assert.Contains("rule is there: done? (yes): Do it first", _helix.Error, StringComparison.Ordinal);
        Assert.Contains("proof in words or a link: proof in words or a link: ", _helix.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task At_a_terminal_a_question_and_its_prompts_are_broken_between_words_and_its_command_is_not()
    {
        const string instructions = "Ask the people of the network to close the port of the load balancer:\n- tell them the name of the machine and the number of the port, and how long it stays closed\n";
        var step = $"  - {{ id: close_it, uses: manual, with: {{ instructions: \"{instructions.Replace("\n", "\\n", StringComparison.Ordinal)}\", checklist: [the people of the network have told that the port is closed for everybody] }} }}\n";
        Assert.Equal(0, await _helix.Run(["run", .. Runbook("wrapped", step)], typed: "done\nyes\n\n", width: 50));
        Assert.Contains("  Ask the people of the network to close the port\n  of the load balancer:\n  - tell them the name of the machine and the\n    number of the port, and how long it stays\n    closed\n", _helix.Error, StringComparison.Ordinal);
        Assert.Contains("the people of the network have told that the port\nis closed for everybody: done? (yes): ", _helix.Error, StringComparison.Ordinal);
        Assert.Matches("command: helix decide \\S+ 'close_it#1.1' done --resume\n", _helix.Error);
    }

    [Fact]
    public async Task Steps_are_counted_and_not_the_blocks_around_them()
    {
        var steps = "  - { id: each, forEach: [a, b], as: x, steps: [{ id: one, uses: shell.run, effect: reads, with: { script: \"true\" } }] }\n" + Pack;
        Assert.Equal(0, await _helix.Run(["run", .. Runbook("blocks", steps)]));
        Assert.Contains("[1/2] each[0]/one", _helix.Error, StringComparison.Ordinal);
        Assert.Contains("[2/2] pack", _helix.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_head_is_no_reason_to_doubt_a_record()
    {
        Assert.Equal(0, await _helix.Run(["run", .. Runbook("sound", Pack)]));
        var run = await OnlyRun();
        Assert.Equal(2, await _helix.Run("verify-record", run, "--head", "5f1c"));
        Assert.Contains("'5f1c' is no head of a record.", _helix.Error, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run("report", run));
        var check = Regex.Match(_helix.Out, "`helix (verify-record [^`]+)`").Groups[1].Value;
        Assert.Equal(0, await _helix.Run(check.Split(' ')));
    }

    /// <summary>Who approves must see what is known: the name of the database that is dropped, whatever file stands beside it.</summary>
    [Fact]
    public async Task A_plan_shows_every_argument_that_is_known()
    {
        var steps = "  - { id: load, uses: command.run, effect: reads, with: { argv: [pg_restore, -d, \"{{ inputs.to }}\", \"{{ run.work }}/a.dump\"] } }\n";
        Assert.Equal(0, await _helix.Run(["plan", .. Runbook("shows", steps, "inputs: { to: { type: string, default: shop } }\n")]));
        Assert.Contains("Run pg_restore -d shop '{{ run.work }}/a.dump'.", _helix.Out, StringComparison.Ordinal);
    }

    /// <summary>What is done for each element of a list stands there once, under what it is done for, also when only the run will know the list.</summary>
    [Fact]
    public async Task A_plan_names_the_loops_and_branches_that_its_steps_stand_in_and_what_only_the_run_will_know()
    {
        const string steps = """
              - { id: list, uses: command.run, effect: reads, with: { argv: [ls], outputs: { files: { type: list, from: lines } } } }
              - id: every
                forEach: "{{ steps.list.files }}"
                as: file
                steps:
                  - { id: show, uses: command.run, effect: reads, with: { argv: [cat, "{{ file }}"] } }
                  - { id: drop, uses: file.remove, with: { path: "{{ run.work }}/{{ file }}" } }
                  - { id: times, forEach: [a, b], as: letter, steps: [{ id: deep, uses: command.run, effect: reads, with: { argv: [echo, "{{ letter }}"] } }] }
              - id: again
                parallel:
                  - [{ id: left, uses: command.run, effect: reads, with: { argv: ["true"] } }]
                  - [{ id: right, uses: command.run, effect: reads, with: { argv: ["true"] } }]

            """;
        Assert.Equal(0, await _helix.Run(["plan", .. Runbook("loops", steps)]));
        Assert.Contains("""
                 every, for each file of {{ steps.list.files }}:
               2   every[]/show  command.run  reads local files (show)
                     Run cat '{{ file }}'.
               3   every[]/drop  file.remove  changes local files
                     Only the run will know: path.
                   times, for each letter of ["a","b"]:
               4     every[]/times[]/deep  command.run  reads local files (deep)
                       Run echo '{{ letter }}'.
                 parallel again, branch 1:
               5   left  command.run  reads local files (left)
                     Run true.
                 parallel again, branch 2:
               6   right  command.run  reads local files (right)

            """, _helix.Out, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run(["plan", .. Runbook("loops", steps), "--format", "md"]));
        Assert.Contains("\n- every, for each file of {{ steps.list.files }}:\n  - [ ] **every[]/show**", _helix.Out, StringComparison.Ordinal);
        Assert.Contains("\n  - times, for each letter of [\"a\",\"b\"]:\n    - [ ] **every[]/times[]/deep**", _helix.Out, StringComparison.Ordinal);
    }

    /// <summary>"At the end, always" is the end of the run, not that of a block or of a runbook in the middle.</summary>
    [Fact]
    public async Task A_plan_keeps_the_last_steps_of_a_block_or_inner_runbook_within_it()
    {
        const string step = "uses: command.run, effect: reads, with: { argv: [\"true\"] }";
        _helix.Write("inner.yaml", $"apiVersion: helix.runbooks/v1\nname: inner\ntitle: Inner\nsteps:\n  - {{ id: work, {step} }}\nfinally:\n  - {{ id: tidy, {step} }}\n");
        var outer = Runbook("outer", $$"""
              - id: both
                parallel:
                  - [{ id: sub, uses: runbook, with: { file: inner.yaml } }]
                  - [{ id: other, {{step}} }]
                finally:
                  - { id: after, {{step}} }
              - { id: last, {{step}} }
            finally:
              - { id: end, {{step}} }

            """);
        Assert.Equal(0, await _helix.Run(["plan", .. outer, "--format", "md"]));
        var lines = _helix.Out.Split('\n').Where(l => l.StartsWith("##", StringComparison.Ordinal) || l.Contains("- [ ]", StringComparison.Ordinal) || l.EndsWith(':')).Select(l => l.Split(" (")[0]);
        Assert.Equal(
            [
                "## Steps",
                "- parallel both, branch 1:", "  - [ ] **sub/work**", "  - finally of sub:", "    - [ ] **sub/tidy**",
                "- parallel both, branch 2:", "  - [ ] **other**",
                "- finally of both:", "  - [ ] **after**",
                "- [ ] **last**",
                "## At the end, always", "- [ ] **end**",
            ], lines);
    }

    [Fact]
    public async Task An_objective_of_which_nothing_was_measured_is_not_said_to_be_met()
    {
        Assert.Equal(0, await _helix.Run(["run", .. Runbook("half", Pack, "objectives: { rto: 1h, rpo: 1h }\n")]));
        Assert.Contains("RTO met, RPO not measured", _helix.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("objectives met", _helix.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_incident_is_declared_in_the_future_nor_occurs_after_it_was_declared()
    {
        var runbook = Runbook("early", Pack, "objectives: { rto: 1h }\n");
        Assert.Equal(2, await _helix.Run(["run", .. runbook, "--declared-at", "2999-01-01T00:00:00Z"]));
        Assert.Contains("still to come", _helix.Error, StringComparison.Ordinal);
        Assert.Equal(2, await _helix.Run(["run", .. runbook, "--occurred-at", "2999-01-01T00:00:00Z"]));
        Assert.Equal(2, await _helix.Run(["run", .. runbook, "--declared-at", "2026-01-01T00:00:00Z", "--occurred-at", "2026-01-01T00:00:01Z"]));
        Assert.Contains("after it was declared", _helix.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_doctor_finds_what_a_run_would_refuse()
    {
        var runbook = Runbook("unasked", "  - { id: lose, uses: file.remove, with: { path: notes, base: . } }\n");
        Assert.Equal(2, await _helix.Run(["run", .. runbook]));
        Assert.Equal(1, await _helix.Run(["doctor", .. runbook]));
        Assert.Contains("unasked.yaml:5:5: Step 'lose' destroys", _helix.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_that_a_step_names_and_that_is_not_there_is_said_before_anything_is_done()
    {
        var with = "  - { id: dump, uses: command.run, effect: reads, with: { argv: [ls], secrets: { PGPASSWORD: \"env:NOT_SET_ANYWHERE\", OTHER: [\"vault:v/a#b\", \"env:NOT_SET_EITHER\"] } } }\n";
        Assert.Equal(0, await _helix.Run(["doctor", .. Runbook("named", with)]));
        Assert.Contains("secret env:NOT_SET_ANYWHERE: The environment variable NOT_SET_ANYWHERE is not set here. dump will fail without it.", _helix.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("NOT_SET_EITHER is not set", _helix.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plan_warns_of_nothing_that_only_the_stand_ins_of_later_values_are_to_blame_for()
    {
        Assert.Equal(0, await _helix.Run("init", Path.Combine(_helix.Folder, "first")));
        Assert.Equal(0, await _helix.Run("plan", Path.Combine(_helix.Folder, "first", "first-restore.yaml"), "--environment", Path.Combine(_helix.Folder, "first", "environments", "here.yaml")));
        Assert.DoesNotContain("warning", _helix.Out, StringComparison.Ordinal);
    }
}
