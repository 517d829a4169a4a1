using Helix.Runbooks.Journal;
using Helix.Server.Accounts;
using Microsoft.Playwright;

namespace Helix.Server.Tests.Seen;

/// <summary>What a real browser does with our forms.</summary>
public sealed class FormsSeenTests(Chromium chromium)
{
    [Fact]
    public async Task The_return_key_in_a_field_of_a_question_decides_nothing()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("gate", Books.Gate);
        using var alice = await here.LogIn("alice", Role.Operator);
        (await here.LogIn("bob", Role.Approver)).Dispose();
        var run = (await alice.Post("/runbooks/gate/start", ("environment", "here"), ("mode", "live"))).Run;
        await here.Becomes(run, RunStatus.Waiting);
        await using var bob = await chromium.Open(here, "return", 390, 844);
        await bob.LogIn("bob");
        await bob.Page.GotoAsync("/decisions");
        await bob.Page.EvaluateAsync("() => { window.sent = 0; addEventListener('submit', () => window.sent++); }");
        await bob.Page.GetByLabel("ticket").First.FillAsync("INC-9");
        await bob.Page.GetByLabel("Reason").FillAsync("the wrong word");
        await bob.Page.GetByLabel("Reason").PressAsync("Enter");
        Assert.True(await bob.Page.EvaluateAsync<bool>("() => window.sent === 0"));
        await bob.Press("Reject");
        await here.Becomes(run, RunStatus.Rejected);
    }

    [Fact]
    public async Task A_refused_answer_and_a_refused_start_are_mended_where_they_were_typed()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("gate", Books.Gate);
        (await here.LogIn("alice", Role.Operator)).Dispose();
        (await here.LogIn("bob", Role.Approver)).Dispose();
        await using var alice = await chromium.Open(here, "mended-desk");
        await alice.LogIn("alice");
        await alice.Page.GotoAsync("/runbooks/gate?environment=here");
        await alice.Page.GetByLabel("Mode").SelectOptionAsync("drill");
        await alice.Page.GetByText("Incident and clock").ClickAsync();
        await alice.Page.GetByLabel("Incident", new() { Exact = true }).FillAsync("INC-9");
        await alice.Press("Show the plan");
        await alice.Sees("What a drill would do");
        await alice.Take("plan-of-a-drill");
        await alice.IsAccessible("plan-of-a-drill");
        await alice.Press("Start the run");
        await alice.Arrives("/runs/[^/]+$");
        var run = alice.Page.Url.Split('/')[^1];
        await here.Becomes(run, RunStatus.Waiting);
        Assert.Equal("INC-9", here.State(run).Started.Incident);

        await using var bob = await chromium.Open(here, "mended-phone", 390, 844);
        await bob.LogIn("bob");
        await bob.Page.GotoAsync("/decisions");
        await bob.Page.GetByLabel("ticket").First.FillAsync("INC-9");
        await bob.Press("Reject");
        await bob.Sees("That does not work");
        await bob.Take("refused-answer");
        await bob.IsAccessible("refused-answer");
        await Assertions.Expect(bob.Page.GetByLabel("ticket").First).ToHaveValueAsync("INC-9");
        await bob.Press("Approve");
        await here.Becomes(run, RunStatus.Succeeded);
    }

    const string Both = """
        steps:
          - parallel:
              - - id: go
                  uses: approval
                  with:
                    message: Go?
                    approvers: [group:dba]
                    minimum: 3
                    inputs: { depth: { type: choice, choices: [quick, full] } }
              - - { id: slow, uses: command.run, effect: reads, with: { argv: [sh, -c, 'while test -d "$1" -a ! -e "$1/on"; do sleep 0.05; done', sh, FOLDER] } }
                - { id: last, uses: command.run, effect: reads, with: { argv: [echo, the end of this branch] } }
        """;

    [Fact]
    public async Task News_of_a_run_take_neither_a_choice_nor_the_place_of_the_keyboard_away()
    {
        await using var here = await new ServerHere().Start();
        here.Environment("here", "alice", "bob", "carol", "dora");
        here.Runbook("both", Both);
        using var alice = await here.LogIn("alice", Role.Operator);
        using var carol = await here.LogIn("carol", Role.Approver);
        foreach (var name in (string[])["bob", "dora"])
            (await here.LogIn(name, Role.Approver)).Dispose();
        var run = (await alice.Post("/runbooks/both/start", ("environment", "here"), ("mode", "live"))).Run;
        await Eventually.True(() => here.State(run).OpenQuestions.Any(), "somebody is asked");
        await using var bob = await chromium.Open(here, "chosen", 390, 844);
        await using var dora = await chromium.Open(here, "keyboard");
        foreach (var screen in (Screen[])[bob, dora])
        {
            await screen.LogIn(screen == bob ? "bob" : "dora");
            await screen.Page.GotoAsync("/runs/" + run);
        }
        await bob.Page.GetByLabel("depth").First.SelectOptionAsync("full");
        await bob.Page.EvaluateAsync("() => document.activeElement.blur()");
        await dora.Page.GetByText("What it rests on").First.FocusAsync();

        await carol.Decide(run, "approve", ("form.depth", "quick"));
        await dora.Sees("carol: approve");
        Assert.Equal("What it rests on", await dora.Page.EvaluateAsync<string>("() => document.activeElement.textContent"));
        await dora.Page.GetByRole(AriaRole.Button, new() { Name = "Approve", Exact = true }).FocusAsync();
        await File.WriteAllTextAsync(Path.Combine(here.Folder, "on"), "");
        foreach (var screen in (Screen[])[bob, dora])
            await screen.Sees("the end of this branch");
        Assert.Equal("full", await bob.Page.GetByLabel("depth").First.InputValueAsync());
        Assert.Equal("Approve", await dora.Page.EvaluateAsync<string>("() => document.activeElement.textContent"));
    }

    [Fact]
    public async Task An_open_page_whose_session_is_over_says_that_one_must_log_in()
    {
        await using var here = await new ServerHere().Start(Ports.Free());
        here.Runbook("gate", Books.Gate);
        using var alice = await here.LogIn("alice", Role.Operator);
        var run = (await alice.Post("/runbooks/gate/start", ("environment", "here"), ("mode", "live"))).Run;
        await here.Becomes(run, RunStatus.Waiting);
        await using var screen = await chromium.Open(here, "out", 390, 844);
        await screen.LogIn("alice");
        await screen.Page.GotoAsync("/runs/" + run);
        await screen.Sees("Write hello?");
        await screen.Page.Context.ClearCookiesAsync();
        var port = here.Address.Port;
        await here.Stop();
        await here.Start(port);
        await Assertions.Expect(screen.Page.Locator("#out")).ToBeVisibleAsync();
        await Assertions.Expect(screen.Page.Locator("#line")).ToBeHiddenAsync();
        await screen.Take("logged-out");
        await screen.IsAccessible("logged-out");
        await screen.Page.GetByRole(AriaRole.Link, new() { Name = "Log in again" }).ClickAsync();
        await screen.Page.GetByLabel("Account").FillAsync("alice");
        await screen.Page.GetByLabel("Password").FillAsync(ServerHere.Password);
        await screen.Press("Log in");
        await screen.Arrives("/runs/" + run);
    }

    [Fact]
    public async Task Forms_with_all_their_fields_fit_a_phone_and_a_desk()
    {
        await using var here = new ServerHere();
        Directory.CreateDirectory(Path.Combine(here.Folder, "shelf"));
        here.Write("notes/a.txt", "hello\n");
        here.Write("environments/production.yaml", $"apiVersion: helix.runbooks/v1\nname: production\nprotected: true\ntargets:\n  shelf: {{ kind: directory, path: {here.Folder}/shelf, identity: {{ place: \"{here.Folder}/shelf\" }} }}\npeople:\n  groups: {{ dba: [alice, bob] }}\n");
        here.Runbook("keep", """
            steps:
              - { id: pack, uses: file.archive, with: { from: notes, to: "{{ run.work }}/notes.tar" } }
              - { id: keep, uses: backup.upload, with: { target: shelf, file: "{{ steps.pack.file }}", prefix: notes/, kind: files.tar, recoveryPoint: "{{ steps.pack.recoveryPoint }}" } }
            """);
        here.Runbook("wipe", """
            inputs:
              backup: { type: backup, target: shelf, prefix: notes/, default: "before:2126-03-01T00:00:00Z", description: Which backup to load. }
            steps:
              - { id: go, uses: approval, with: { message: "Remove the notes?", approvers: [group:dba] } }
              - { id: wipe, uses: file.remove, with: { path: notes, base: . } }
            """);
        here.Write("schedules.yaml", """
            apiVersion: helix.runbooks/v1
            name: schedules
            timeZone: UTC
            environment: environments/production.yaml
            schedules:
              wipes: { runbook: wipe.yaml, cron: "0 0 1 JAN *", dst: once }
            """);
        await here.Start();
        await here.Server.Site.Timetable.Again();
        using var alice = await here.LogIn("alice", Role.Admin);
        await here.Becomes((await alice.Post("/runbooks/keep/start", ("environment", "production"), ("mode", "live"))).Run, RunStatus.Succeeded);
        var run = (await alice.Post("/runbooks/wipe/start", ("environment", "production"), ("mode", "live"), ("confirm", "production"))).Run;
        await here.Becomes(run, RunStatus.Waiting);
        await alice.Post($"/runs/{run}/answer", ("question", "go"), ("choice", "approve"), ("glass", "yes"), ("reason", "nobody else can be reached"));
        await here.Becomes(run, RunStatus.Succeeded);
        (await here.LogIn("bob", Role.Approver)).Dispose();
        foreach (var (name, width) in (IEnumerable<(string, int)>)[("forms-phone", 390), ("forms-desk", 1280)])
        {
            await using var screen = await chromium.Open(here, name, width, 844);
            async Task Look(string what)
            {
                await screen.Take(what);
                await screen.IsAccessible(what);
            }
            await screen.LogIn("alice");
            await screen.Page.GotoAsync("/runbooks/wipe?environment=production");
            await screen.Page.GetByText("Another backup than these").ClickAsync();
            await screen.Press("Start the run");
            await screen.Sees("is protected and this plan destroys data in it");
            await screen.Page.GetByText("Another backup than these").ClickAsync();
            await Look("refused-start");
            await screen.Page.GotoAsync("/schedules");
            await screen.Page.GetByText("Run now").ClickAsync();
            await screen.Sees("It destroys data in a protected environment");
            await Look("schedule");
            await screen.Page.GotoAsync("/accounts");
            await screen.Page.GetByText("Change what alice may do").ClickAsync();
            await screen.Page.GetByLabel("One role on one environment per line").First.FillAsync("admin everywhere");
            await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Save" }).First.ClickAsync();
            await screen.Sees("is no role on an environment");
            await Look("refused-roles");
        }
        await using var bob = await chromium.Open(here, "forms-bob", 390, 844);
        await bob.LogIn("bob");
        await bob.Page.GotoAsync("/decisions");
        await bob.Page.GetByRole(AriaRole.Link, new() { Name = "note", Exact = true }).ClickAsync();
        await bob.Page.GetByLabel("What was done or found outside").FillAsync("I was at my desk");
        await bob.Take("note");
        await bob.IsAccessible("note");
        await bob.Press("Add to the record");
        await Eventually.True(() => here.Store.Read(run).Any(e => e.Event is NoteAdded { Text: "I was at my desk" }), "the note is in the record");
    }
}
