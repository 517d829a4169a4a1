using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Tests.Http;
using Helix.Runbooks.Tests.Messages;
using Helix.Server.Accounts;
using Helix.Server.Messages;

namespace Helix.Server.Tests.Messages;

/// <summary>A real server whose channels are real receivers of this test.</summary>
public sealed class MessageTests : IAsyncDisposable
{
    const string Key = "canary-signing-key", Path = "canary-path";

    readonly StillClock _clock = new();
    readonly HttpStub _hook;
    readonly HttpStub _chat = new(_ => new(200, "ok"));
    readonly HttpStub _trial = new(_ => new(204));
    readonly SmtpStub _mail = new();
    readonly ServerHere _here;
    int _status = 204;

    public MessageTests()
    {
        _hook = new(_ => new(_status));
        _here = new ServerHere { Time = _clock };
        Secret("hook", _hook.Url + Path);
        Secret("chat", _chat.Url);
        Secret("trial", _trial.Url);
        Secret("key", Key);
        _here.Write("environments/here.yaml", $$"""
            apiVersion: helix.runbooks/v1
            name: here
            targets:
              shelf: { kind: directory, path: {{_here.Folder}}/shelf }
              hook: { kind: webhook, url: "file:{{_here.Folder}}/hook.secret", signingKey: "file:{{_here.Folder}}/key.secret" }
              chat: { kind: slack, url: "file:{{_here.Folder}}/chat.secret" }
              trial: { kind: webhook, url: "file:{{_here.Folder}}/trial.secret" }
              mail: { kind: email, host: 127.0.0.1, port: {{_mail.Port}}, security: none, from: helix@example.com, to: [oncall@example.com] }
            messages:
              - { to: hook }
              - { to: chat, about: [waiting], for: ["group:on_call"] }
              - { to: mail, about: [recovered, failed, missed, overdue] }
              - { to: trial, test: true }
            people:
              groups: { dba: [alice, bob, carol], on_call: [carol] }
            """);
        _here.Runbook("gate", Books.Gate.Replace("expiresAfter: 30m", "expiresAfter: 30m\n      onExpiry: escalate\n      escalateTo: group:on_call", StringComparison.Ordinal));
        _here.Runbook("failing", Books.Failing);
    }

    void Secret(string name, string value) => File.WriteAllText($"{_here.Folder}/{name}.secret", value);

    List<JsonNode> Told(HttpStub by) => [.. by.Requests.Select(r => JsonNode.Parse(r.Body)!)];
    List<string> Occasions(HttpStub by) => [.. Told(by).Select(m => (string)m["occasion"]!)];
    static Task Comes(string what, Func<bool> wanted) => Eventually.True(wanted, what);

    async Task<string> Start(Browser who, string runbook, string comms = "on") =>
        (await who.Post($"/runbooks/{runbook}/start", ("environment", "here"), ("mode", "live"), ("comms", comms))).Run;

    [Fact]
    public async Task Who_is_named_is_told_that_a_run_waits_that_it_is_late_that_the_glass_was_broken_and_that_it_has_recovered()
    {
        await _here.Start();
        using var alice = await _here.LogIn("alice", Role.Operator, Role.Approver);
        var run = await Start(alice, "gate");
        await Comes("it is told that the run waits", () => _hook.Requests.Count == 1);
        var (request, waits) = (_hook.Requests.First(), Told(_hook)[0]);
        Assert.Equal(("waiting", run, $"{_here.Address}runs/{run}", false), ((string)waits["occasion"]!, (string)waits["run"]!, (string)waits["link"]!, (bool)waits["test"]!));
        Assert.Contains("Write hello?", (string)waits["text"]!, StringComparison.Ordinal);
        Assert.Equal("sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Key), Encoding.UTF8.GetBytes(request.Body))), request.Headers["X-Helix-Signature"]);
        Assert.Contains(_here.Store.Read(run), e => e.Hash == (string)waits["head"]!);
        Assert.Empty(_chat.Requests);
        // A link opens a page and decides nothing.
        await alice.Get(new Uri((string)waits["link"]!).PathAndQuery);
        Assert.Equal(RunStatus.Waiting, _here.State(run).Status);

        _clock.Pass(TimeSpan.FromHours(2));
        _here.Server.Site.Keeper.Look();
        await Comes("the group on call is told, and that it will be too late", () => _chat.Requests.Count == 1 && Occasions(_hook).Contains("at-risk"));
        Assert.Contains("group:on_call", (string)Told(_chat)[0]["text"]!, StringComparison.Ordinal);

        using var later = await _here.LogIn("alice", Role.Operator, Role.Approver); // a session does not last for so long
        await later.Decide(run, "approve", ("form.ticket", "INC-1"), ("glass", "yes"), ("reason", "nobody else is awake"));
        await _here.Becomes(run, RunStatus.Succeeded);
        await Comes("the end is told", () => Occasions(_hook).Contains("recovered") && _hook.Requests.Count >= 5 && _mail.Mails.Count == 2 && _chat.Requests.Count == 2);
        Assert.Equal(["at-risk", "break-glass", "recovered", "waiting", "waiting"], Occasions(_hook).Order());
        Assert.Contains("alice decided alone", string.Concat(_mail.Mails).Replace("=\r\n", "", StringComparison.Ordinal).Replace(" (password, web)", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("Recovered", string.Concat(_mail.Mails), StringComparison.Ordinal);
        var seen = (await later.Get("/messages")).Text + (await later.Get("/metrics")).Text + string.Join('\n', _here.Said) + string.Concat(Told(_hook)) + await File.ReadAllTextAsync(_here.Server.Site.Settings.AccountsPath, Encoding.Latin1);
        Assert.DoesNotContain("canary", seen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Communication_of_a_run_is_obeyed_and_a_success_without_objectives_is_no_news()
    {
        _here.Runbook("plain", "steps:\n  - { id: look, uses: command.run, effect: reads, with: { argv: [echo, hello] } }");
        await _here.Start();
        using var alice = await _here.LogIn("alice", Role.Operator);
        var quiet = await Start(alice, "plain");
        var off = await Start(alice, "gate", "off");
        var test = await Start(alice, "gate", "test");
        await _here.Becomes(off, RunStatus.Waiting);
        await Comes("the test is told", () => _trial.Requests.Count == 1);
        Assert.Equal((test, true), ((string)Told(_trial)[0]["run"]!, (bool)Told(_trial)[0]["test"]!));
        await _here.Becomes(quiet, RunStatus.Succeeded);
        var last = await Start(alice, "gate");
        await Comes("a run after them is told", () => _hook.Requests.Count == 1);
        Assert.Equal(last, (string)Told(_hook)[0]["run"]!);
    }

    [Fact]
    public async Task PM_03_What_cannot_be_delivered_waits_over_a_restart_is_given_up_visibly_and_what_was_sent_is_not_sent_again()
    {
        await _here.Start();
        using var alice = await _here.LogIn("alice", Role.Operator);
        var first = await Start(alice, "gate");
        await Comes("the first is told", () => Stands(first, "sent"));
        _status = 503;
        var run = await Start(alice, "failing");
        await Comes("it was tried", () => Stands(run, "waiting", tries: 1));
        await _here.Becomes(run, RunStatus.Waiting); // the channel that is down holds nothing up
        await _here.Stop();

        _status = 204;
        await _here.Start();
        Later(TimeSpan.FromMinutes(1));
        await Comes("the message comes after the restart", () => Stands(run, "sent", tries: 2));
        Assert.Equal([first, run, run], Told(_hook).Select(m => (string)m["run"]!));
        Assert.Equal(Told(_hook)[1]["id"]!.ToString(), Told(_hook)[2]["id"]!.ToString());

        _status = 503;
        using var again = await _here.LogIn("alice", Role.Operator);
        var lost = await Start(again, "gate");
        await Comes("it was tried", () => Stands(lost, "waiting", tries: 1));
        Later(TimeSpan.FromHours(25));
        await Comes("it is given up", () => Stands(lost, "given-up", tries: 2));
        using var alone = await _here.LogIn("alice", Role.Operator);
        Assert.Contains("answered 503", WebUtility.HtmlDecode((await alone.Get("/messages")).Text), StringComparison.Ordinal);
        await Comes("its record says so", () => _here.State(lost).Remarks.Any(r => r.Text.Contains("could not be delivered to hook", StringComparison.Ordinal)));
        Assert.Contains("helix_messages{environment=\"here\",channel=\"hook\",state=\"given-up\"} 1\n", (await alone.Get("/metrics")).Text, StringComparison.Ordinal);

        _status = 204;
        var letter = _here.Accounts.LettersOf(100).Single(l => l.State == "given-up");
        await alone.Post("/messages/again", ("id", letter.Id), ("environment", "here"), ("channel", "hook"));
        await Comes("it is delivered when somebody asks for it", () => Stands(lost, "sent"));
        await alone.Post("/messages/test", ("environment", "here"), ("channel", "chat"));
        await Comes("the channel is tried", () => Told(_chat).Any(m => ((string)m["text"]!).Contains("alice wanted to know whether this channel works", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Schedules_that_were_missed_or_are_overdue_or_cannot_be_read_are_told_once()
    {
        _here.Write("schedules.yaml", Schedules("skip"));
        await _here.Start();
        await Comes("the schedule is read", () => _here.Accounts.WatchedSince("daily") is not null);
        await _here.Stop();
        _clock.Pass(TimeSpan.FromHours(49));
        await _here.Start();
        await Comes("both are told", () => Occasions(_hook).Contains("overdue") && Occasions(_hook).Contains("missed"));
        Assert.Contains("schedules", (string)Told(_hook)[0]["link"]!, StringComparison.Ordinal);
        await _here.Stop();
        await _here.Start();
        _here.Write("schedules.yaml", Schedules("sometimes"));
        await _here.Server.Site.Timetable.Again();
        await Comes("the broken file is told", () => Told(_hook).Any(m => ((string)m["title"]!).Contains("Nothing starts by itself", StringComparison.Ordinal)));
        Assert.Single(Occasions(_hook), o => o == "overdue");
    }

    [Fact]
    public async Task A_fault_that_nobody_thought_of_is_said_once_and_messages_are_sent_when_it_is_over()
    {
        await _here.Start();
        using var alice = await _here.LogIn("alice", Role.Operator);
        using var database = StorePlace.Beside(_here.Server.Site.Settings.AccountsPath, "");
        database.Run("ALTER TABLE outbox RENAME TO elsewhere");
        await Comes("it is said", () => _here.Said.Any(s => s.StartsWith("Messages cannot be sent: ", StringComparison.Ordinal)));
        _clock.Pass(TimeSpan.FromMinutes(5));
        database.Run("ALTER TABLE elsewhere RENAME TO outbox");
        await Start(alice, "gate");
        await Comes("it is told", () => _hook.Requests.Count == 1);
        Assert.Single(_here.Said, s => s.StartsWith("Messages cannot be sent: ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_could_not_be_told_of_a_run_is_told_later_however_long_others_went_on_meanwhile(bool byAnotherServer)
    {
        await _here.Start();
        using var alice = await _here.LogIn("alice", Role.Operator);
        using var database = StorePlace.Beside(_here.Server.Site.Settings.AccountsPath, "");
        database.Run("CREATE TRIGGER faulty BEFORE INSERT ON outbox WHEN NOT EXISTS (SELECT 1 FROM outbox) BEGIN SELECT RAISE(FAIL, 'a mistake'); END");
        var run = await Start(alice, "gate");
        await Comes("it is said", () => _here.Said.Any(s => s.StartsWith($"Nobody is told of run {run}: ", StringComparison.Ordinal)));
        database.Run("DROP TRIGGER faulty");
        database.Run($"CREATE TRIGGER faulty BEFORE INSERT ON outbox WHEN new.run = '{run}' BEGIN SELECT RAISE(FAIL, 'a mistake'); END");
        for (var others = 1; others <= 3; others++)
        {
            _clock.Pass(TimeSpan.FromMinutes(5));
            await Start(alice, "gate");
            await Comes("the other is told", () => _hook.Requests.Count == others);
        }
        if (byAnotherServer)
            await _here.Stop();
        database.Run("DROP TRIGGER faulty");
        if (byAnotherServer)
            await _here.Start();
        else
            await Start(alice, "gate");
        await Comes("it is told", () => Told(_hook).Any(m => (string)m["run"]! == run));
    }

    [Fact]
    public async Task What_could_not_be_told_of_a_run_is_told_when_that_is_mended_and_other_runs_do_not_wait_for_it()
    {
        await _here.Start();
        using var alice = await _here.LogIn("alice", Role.Operator);
        using var database = StorePlace.Beside(_here.Server.Site.Settings.AccountsPath, "");
        database.Run("CREATE TRIGGER faulty BEFORE INSERT ON outbox BEGIN SELECT RAISE(FAIL, 'a mistake'); END");
        var run = await Start(alice, "gate");
        await Comes("it is said", () => _here.Said.Any(s => s.StartsWith($"Nobody is told of run {run}: ", StringComparison.Ordinal) && s.Contains("a mistake", StringComparison.Ordinal)));
        database.Run("DROP TRIGGER faulty");
        var other = await Start(alice, "gate");
        await Comes("both are told", () => _hook.Requests.Count == 2);
        Assert.Equal(new[] { run, other }.Order(), Told(_hook).Select(m => (string)m["run"]!).Order());

        var said = _here.Said.Count;
        database.Run($"CREATE TRIGGER faulty BEFORE INSERT ON outbox WHEN new.run = '{run}' BEGIN SELECT RAISE(FAIL, 'a mistake'); END");
        _clock.Pass(TimeSpan.FromHours(2));
        _here.Server.Site.Keeper.Look();
        await Comes("the other is at risk", () => Told(_hook).Any(m => (string)m["occasion"]! == "at-risk" && (string)m["run"]! == other));
        // By the look at the clock, or by the driver's own entry where that comes first.
        await Comes("it is said", () => _here.Said.Skip(said).Any(s => s.StartsWith($"Nobody is told that run {run} is late: ", StringComparison.Ordinal) || s.StartsWith($"Nobody is told of run {run}: ", StringComparison.Ordinal)));
        database.Run("DROP TRIGGER faulty");
        _clock.Pass(TimeSpan.FromMinutes(2));
        using var later = await _here.LogIn("alice", Role.Operator); // a session does not last for so long
        await Start(later, "gate");
        await Comes("it is told too", () => Told(_hook).Any(m => (string)m["occasion"]! == "at-risk" && (string)m["run"]! == run));
    }

    static string Schedules(string missed) => $"""
        apiVersion: helix.runbooks/v1
        name: schedules
        timeZone: UTC
        environment: environments/here.yaml
        schedules:
          daily:
            runbook: gate.yaml
            cron: "30 {(TimeProvider.System.GetUtcNow().Hour + 22) % 24} * * *"
            dst: once
            missed: {missed}
            freshFor: 26h
        """;

    /// <summary>So it stands with the message that a run waits. It is among the requests of its receiver before that has chosen its answer.</summary>
    bool Stands(string run, string state, int tries = 1) =>
        _here.Accounts.LettersOf(100).Any(l => l is { Channel: "hook", Occasion: "waiting" } && l.Run == run && !l.Id.EndsWith("/escalated", StringComparison.Ordinal) && (l.State, l.Tries) == (state, tries));

    /// <summary>What was put off is due.</summary>
    void Later(TimeSpan time)
    {
        _clock.Pass(time);
        _here.Server.Site.Outbox.Wake();
    }

    public async ValueTask DisposeAsync()
    {
        await _here.DisposeAsync();
        _hook.Dispose();
        _chat.Dispose();
        _trial.Dispose();
        _mail.Dispose();
    }
}
