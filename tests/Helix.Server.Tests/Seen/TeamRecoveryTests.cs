using Helix.Runbooks.Journal;
using Helix.Server.Accounts;
using Microsoft.Playwright;

namespace Helix.Server.Tests.Seen;

/// <summary>A team at work, seen in a real browser: at a desk, on a phone, in the dark.</summary>
public sealed class TeamRecoveryTests(Chromium chromium)
{
    const string Recovery = """
        description: |
          Brings the notes back from their newest backup. The service is **down** meanwhile.

          - look at what is there
          - stop, restore, check
        owner: data-platform
        symptoms: [Notes are missing, The service does not start]
        objectives: { rto: 1h, rpo: 30m, recoveredAt: check }
        inputs:
          backup: { type: backup, target: shelf, prefix: notes/, default: latest, description: Which backup to load. }
          depth: { type: choice, choices: [quick, full], default: quick, description: How thoroughly to check. }
        steps:
          - id: look
            name: Look at what is there
            uses: command.run
            effect: reads
            with: { argv: [sh, -c, 'ls -l "$1/notes"; echo "nothing readable" >&2', sh, FOLDER] }
          - id: fetch
            uses: backup.download
            with: { target: shelf, prefix: notes/, backup: "{{ inputs.backup }}", to: "{{ run.work }}/notes.tar" }
          - id: stop
            uses: target.stop
            with: { targets: [app] }
          - id: go
            uses: approval
            with:
              message: "Replace the notes by {{ steps.fetch.key }}, which stands for {{ steps.fetch.recoveryPoint }}?"
              approvers: [group:dba]
              expiresAfter: 30m
              inputs:
                ticket: { type: string, required: true, description: The ticket of the incident }
          - parallel:
              - - id: wipe
                  uses: file.remove
                  with: { path: notes, base: . }
                - id: load
                  uses: file.extract
                  with: { from: "{{ steps.fetch.file }}", to: notes, whenThere: merge }
              - - id: tell
                  uses: command.run
                  effect: reads
                  with: { argv: [echo, "told everybody that the notes are being restored"] }
          - id: check
            name: Check what came back
            uses: command.run
            effect: reads
            with: { argv: [sh, -c, 'test -e "$1/mended" && grep -q hello "$1/runbooks/notes/a.txt"', sh, FOLDER] }
          - id: start
            uses: target.start
            with: { targets: [app] }
        rescue:
          - id: say
            uses: command.run
            effect: reads
            with: { argv: [echo, "it did not work"] }
        finally:
          - { id: tidy, uses: file.remove, with: { path: "{{ run.work }}" } }
        """;

    const string Backup = """
        objectives: { rpo: 1h }
        steps:
          - { id: pack, uses: file.archive, with: { from: notes, to: "{{ run.work }}/notes.tar" } }
          - id: keep
            uses: backup.upload
            with: { target: shelf, file: "{{ steps.pack.file }}", prefix: notes/, kind: files.tar, recoveryPoint: "{{ steps.pack.recoveryPoint }}" }
          - { id: up, uses: target.start, with: { targets: [app] } }
        """;

    static async Task<ServerHere> Team(int port = 0)
    {
        var here = await new ServerHere().Start(port);
        Directory.CreateDirectory(Path.Combine(here.Folder, "app"));
        Directory.CreateDirectory(Path.Combine(here.Folder, "shelf"));
        here.Write("notes/a.txt", "hello\n");
        var serve = here.Write("../app/serve", "#!/bin/sh\nexec sleep 1000\n");
        File.SetUnixFileMode(serve, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        here.Write("environments/production.yaml", $$"""
            apiVersion: helix.runbooks/v1
            name: production
            protected: true
            targets:
              shelf: { kind: directory, path: {{here.Folder}}/shelf, identity: { place: "{{here.Folder}}/shelf" } }
              app:
                kind: process
                start: [{{here.Folder}}/app/serve]
                pidFile: {{here.Folder}}/app/app.pid
                directory: {{here.Folder}}/app
                identity: { place: "x" }
            people:
              groups: { dba: [alice, bob, carol] }
            """);
        here.Runbook("notes-restore", Recovery);
        here.Runbook("notes-backup", Backup);
        return here;
    }

    [Fact]
    public async Task A_first_start_leads_to_an_administrator_and_to_accounts()
    {
        await using var here = await Team();
        await using var root = await chromium.Open(here, "first");
        await root.Page.GotoAsync(here.Said.Single(s => s.Contains("/setup/", StringComparison.Ordinal)).Split(' ')[^1]);
        await root.Take("setup");
        await root.Page.GetByLabel("Name of your account").FillAsync("root");
        await root.Page.GetByLabel("Password").FillAsync(ServerHere.Password);
        await root.Page.GetByLabel("Once more").FillAsync(ServerHere.Password);
        await root.Press("Make the account");
        await root.Page.GetByLabel("Name").FillAsync("alice");
        await root.Page.GetByLabel("May do, one role").FillAsync("operator:production\nviewer:*");
        await root.Press("Add and invite");
        await root.Sees("Hand this link to alice");
        await root.Take("accounts");
        await root.IsAccessible("accounts");
        await root.Page.GotoAsync("/record");
        await root.Take("record");
    }

    [Fact]
    public async Task A_run_is_started_watched_approved_on_a_phone_and_mended_after_a_failure()
    {
        await using var here = await Team();
        (await here.LogIn("alice", Role.Operator, Role.Approver)).Dispose();
        (await here.LogIn("bob", Role.Approver)).Dispose();
        await using var alice = await chromium.Open(here, "desk");
        await using var bob = await chromium.Open(here, "phone", 390, 844);
        await alice.Page.GotoAsync("/runs");
        await alice.Take("login");
        await alice.LogIn("alice");
        await alice.Take("no-runs");
        await KeepABackup(here, alice);
        var run = await StartRecovery(here, alice);
        await alice.Sees("Replace the notes by notes/");
        await alice.Sees("You started the run");
        await alice.Take("waits");
        await alice.IsAccessible("waits");

        await bob.LogIn("bob");
        await bob.Page.GotoAsync("/decisions");
        await bob.Take("decisions");
        await bob.Page.GotoAsync("/runs/" + run);
        await bob.Take("run-waits");
        await bob.Page.GetByLabel("ticket").First.FillAsync("INC-42");
        await bob.Press("Approve");

        // Without a reload: the page of the one who started it hears of the answer and of the failure.
        await alice.Sees("What shall be done?");
        await alice.Take("step-failed");
        await alice.IsAccessible("step-failed");
        await File.WriteAllTextAsync(Path.Combine(here.Folder, "mended"), "");
        await alice.Page.GetByLabel("Retry tries the step again").CheckAsync();
        await alice.Press("Decide");
        await alice.Sees("Recovered after");
        await alice.Take("recovered");
        await bob.Sees("Recovered after");
        await bob.Take("recovered");
        await Assertions.Expect(bob.Page.Locator("#questions form")).ToHaveCountAsync(0);

        await using var night = await chromium.Open(here, "dark", dark: true);
        await night.LogIn("alice");
        await night.Take("runs");
        foreach (var (path, what) in new[] { ("/runs/" + run, "run"), ("/runbooks/notes-restore?environment=production", "runbook"), ("/record/" + run, "record"), ("/account", "account") })
        {
            await night.Page.GotoAsync(path);
            await night.Take(what);
            if (what == "run")
                await night.IsAccessible(what);
        }
        await night.Page.GotoAsync($"/runs/{run}/report.html");
        await night.Take("report");
        here.Write("schedules.yaml", """
            apiVersion: helix.runbooks/v1
            name: schedules
            timeZone: Europe/Berlin
            environment: environments/production.yaml
            schedules:
              notes_hourly: { runbook: notes-backup.yaml, cron: "30 * * * *", dst: shift, overlap: skip, freshFor: 90m }
            """);
        await here.Server.Site.Timetable.Again();
        foreach (var (path, what) in new[] { ("/ready", "ready"), ("/schedules", "schedules"), ("/backups?environment=production&target=shelf&prefix=notes/&keepDaily=7", "backups"), ("/locks", "locks") })
        {
            await night.Page.GotoAsync(path);
            await night.Take(what);
            await bob.Page.GotoAsync(path);
            await bob.Take(what);
            if (what == "ready")
                await bob.IsAccessible(what);
        }
        await bob.Page.GotoAsync("/runbooks/notes-restore?environment=production");
        await bob.Take("runbook");
        await bob.Page.GotoAsync("/record/" + run);
        await bob.Take("record");
    }

    [Fact]
    public async Task A_run_is_cancelled_and_what_it_leaves_is_shown_until_it_is_closed()
    {
        await using var here = await Team();
        (await here.LogIn("alice", Role.Operator)).Dispose();
        await using var alice = await chromium.Open(here, "cancel", 390, 844, dark: true);
        await alice.LogIn("alice");
        await KeepABackup(here, alice);
        var run = await StartRecovery(here, alice);
        await alice.Sees("Replace the notes by notes/");
        // What was stopped cannot be started again.
        File.Delete(Path.Combine(here.Folder, "app", "serve"));
        await alice.Page.GetByText("End the run").ClickAsync();
        await alice.Page.GetByLabel("Why?").FillAsync("the wrong backup");
        await alice.Take("about-to-cancel");
        await alice.Press("Cancel this run");
        await alice.Sees("What is left changed");
        await alice.Sees("Cancelled by alice");
        await alice.Take("cancelled");
        await alice.Page.GetByLabel("Taken back, or meant to stay?").FillAsync("started by hand");
        await alice.Press("Close the run");
        await alice.Sees("Somebody has acknowledged this");
        Assert.True(here.State(run).Closed);
    }

    [Fact]
    public async Task A_page_says_that_its_connection_is_lost_and_catches_up_when_the_server_is_back()
    {
        await using var here = await Team(Ports.Free());
        here.Runbook("slow", Books.Slow);
        (await here.LogIn("alice", Role.Operator)).Dispose();
        await using var alice = await chromium.Open(here, "lost", 390, 844);
        await alice.LogIn("alice");
        await alice.Page.GotoAsync("/runbooks/slow?environment=here");
        await alice.Press("Start the run");
        await alice.Sees("started");
        await alice.Page.Context.SetOfflineAsync(true);
        var port = here.Address.Port;
        await here.Stop();
        await Assertions.Expect(alice.Page.Locator("#line")).ToBeVisibleAsync();
        await alice.Sees("slow");
        await alice.Take("line-lost");
        await File.WriteAllTextAsync(Path.Combine(here.Folder, "on"), "");
        await here.Start(port);
        await alice.Page.Context.SetOfflineAsync(false);
        await alice.Sees("Succeeded after");
        await Assertions.Expect(alice.Page.Locator("#line")).ToBeHiddenAsync();
    }

    static async Task KeepABackup(ServerHere here, Screen alice)
    {
        here.Write("notes/a.txt", "hello\n");
        await alice.Page.GotoAsync("/runbooks/notes-backup?environment=production");
        await alice.Press("Start the run");
        await alice.Arrives("/runs/[^/]+$");
        await here.Becomes(alice.Page.Url.Split('/')[^1], RunStatus.Succeeded);
    }

    static async Task<string> StartRecovery(ServerHere here, Screen alice)
    {
        await alice.Page.GotoAsync("/runbooks");
        await alice.Take("runbooks");
        await alice.Page.GetByRole(AriaRole.Link, new() { Name = "The runbook notes-restore" }).ClickAsync();
        await alice.Page.GetByLabel("On which environment?").SelectOptionAsync("production");
        await alice.Press("Choose");
        await alice.Take("start-form");
        await alice.Press("Show the plan");
        await alice.Sees("This plan destroys data");
        await alice.Take("plan");
        await alice.Page.GetByLabel("is protected").FillAsync("production");
        await alice.Press("Start the run");
        await alice.Arrives("/runs/[^/]+$");
        return alice.Page.Url.Split('/')[^1];
    }
}
