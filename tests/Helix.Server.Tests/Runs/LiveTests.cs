using System.Net;
using Helix.Runbooks.Journal;
using Helix.Server.Accounts;

namespace Helix.Server.Tests.Runs;

public sealed class LiveTests
{
    [Fact]
    public async Task An_open_page_hears_of_steps_and_lines_and_goes_on_where_it_was_after_a_break()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("slow", Books.Slow);
        using var alice = await here.LogIn("alice", Role.Operator);
        var run = (await alice.Post("/runbooks/slow/start", ("environment", "here"), ("mode", "live"))).Run;
        string last;
        using (var page = await Listener.Open(alice, $"/runs/{run}/live?log=0", null))
        {
            last = (await page.Until(e => e.Name == "log" && e.Data.Contains("started", StringComparison.Ordinal))).Id!;
            await page.Until(e => e.Name == "region" && e.Data.Contains("\"tree\"", StringComparison.Ordinal));
        }
        await File.WriteAllTextAsync(Path.Combine(here.Folder, "on"), "");
        await here.Becomes(run, RunStatus.Succeeded);
        using var again = await Listener.Open(alice, $"/runs/{run}/live?log=0", last);
        var line = await again.Until(e => e.Name == "log");
        Assert.DoesNotContain("started", line.Data, StringComparison.Ordinal);
        Assert.Contains("ended", line.Data, StringComparison.Ordinal);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_page_that_is_open_hears_nothing_more_after_its_session_ended_or_its_role_was_taken_away(bool ended)
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("slow", Books.Slow);
        using var alice = await here.LogIn("alice", Role.Operator);
        var run = (await alice.Post("/runbooks/slow/start", ("environment", "here"), ("mode", "live"))).Run;
        using var page = await Listener.Open(alice, $"/runs/{run}/live", null);
        await page.Until(e => e.Name == "region");
        if (ended)
            here.Accounts.SetDisabled("alice", true);
        else
            here.Accounts.SetGrants("alice", [new Grant(Role.Viewer, "elsewhere")]);
        await page.End();
        await File.WriteAllTextAsync(Path.Combine(here.Folder, "on"), "");
    }

    [Fact]
    public async Task Who_waits_for_news_when_the_server_ends_is_let_go_and_takes_no_processor_any_more()
    {
        await using var here = await new ServerHere().Start();
        var pulse = here.Server.Site.Pulse;
        var before = pulse.Next(pulse.Version, CancellationToken.None);
        await here.Stop();
        var after = Task.Run(() => pulse.Next(pulse.Version, CancellationToken.None));
        await Task.WhenAll(before, after).WaitAsync(Hang.Limit, TimeProvider.System);
    }

    [Fact]
    public async Task A_program_that_follows_a_run_hears_nothing_more_after_its_token_was_revoked()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("gate", Books.Gate);
        using var alice = await here.LogIn("alice", Role.Operator);
        var run = (await alice.Post("/runbooks/gate/start", ("environment", "here"), ("mode", "live"))).Run;
        using var program = new Browser(here.Address);
        program.Client.DefaultRequestHeaders.Authorization = new("Bearer", here.Accounts.NewToken("alice", "follows", [], TimeSpan.FromDays(1)));
        using var events = await Listener.Open(program, $"/api/v1/runs/{run}/events", null);
        await events.Until(e => e.Name == "question-asked");
        here.Accounts.Revoke("alice", here.Accounts.TokensOf("alice").Single().Id);
        await alice.Post($"/runs/{run}/note", ("text", "something is heard of"));
        await events.End();
    }

    [Fact]
    public async Task A_page_that_nobody_touches_does_not_keep_its_session_alive()
    {
        var clock = new Messages.Clock();
        await using var here = await new ServerHere { Time = clock }.Start();
        here.Runbook("gate", Books.Gate);
        using var alice = await here.LogIn("alice", Role.Viewer);
        using var bob = await here.LogIn("bob", Role.Operator);
        async Task<string> Start() => (await bob.Post("/runbooks/gate/start", ("environment", "here"), ("mode", "live"))).Run;
        using var page = await Listener.Open(alice, "/live/runs", null);
        clock.Pass(TimeSpan.FromMinutes(90));
        var first = await Start();
        await page.Until(e => e.Data.Contains(first, StringComparison.Ordinal));
        // A line that broke and was made again is nobody either.
        using var again = await Listener.Open(alice, "/live/runs", null);
        clock.Pass(TimeSpan.FromMinutes(60));
        await Start();
        await page.End();
        await again.End();
        Assert.Equal(HttpStatusCode.Redirect, (await alice.Get("/runs")).Status);
        Assert.Equal(HttpStatusCode.OK, (await bob.Get("/runs")).Status);
    }

    [Fact]
    public async Task A_page_whose_stream_comes_back_without_a_session_hears_that_it_must_log_in()
    {
        await using var here = await new ServerHere().Start();
        using var nobody = new HttpClient { BaseAddress = here.Address };
        nobody.DefaultRequestHeaders.Accept.ParseAdd("text/event-stream");
        Assert.Equal("event: login\ndata: {}\n\n", await nobody.GetStringAsync("/live/runs"));
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync("/api/v1/runs")).StatusCode);
    }

    [Fact]
    public async Task The_list_of_runs_changes_while_it_is_open()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("gate", Books.Gate);
        using var alice = await here.LogIn("alice", Role.Operator);
        using var page = await Listener.Open(alice, "/live/runs", null);
        await page.Until(e => e.Data.Contains("No run yet", StringComparison.Ordinal));
        var run = (await alice.Post("/runbooks/gate/start", ("environment", "here"), ("mode", "live"))).Run;
        await page.Until(e => e.Data.Contains(run, StringComparison.Ordinal) && e.Data.Contains("waiting", StringComparison.Ordinal));
    }
}

/// <summary>Reads server-sent events as a browser does.</summary>
sealed class Listener : IDisposable
{
    readonly HttpResponseMessage _answer;
    readonly StreamReader _reader;
    readonly CancellationTokenSource _limit = new(Hang.Limit, TimeProvider.System);

    Listener(HttpResponseMessage answer, StreamReader reader) => (_answer, _reader) = (answer, reader);

    public sealed record Event(string Name, string? Id, string Data);

    public static async Task<Listener> Open(Browser browser, string path, string? last)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (last is not null)
            request.Headers.Add("Last-Event-ID", last);
        var answer = await browser.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        return new Listener(answer, new StreamReader(await answer.Content.ReadAsStreamAsync()));
    }

    public async Task<Event> Until(Func<Event, bool> wanted)
    {
        while (await Next() is { } e)
            if (wanted(e))
                return e;
        throw new InvalidOperationException("The stream ended.");
    }

    public async Task End()
    {
        while (await Next() is not null)
        {
        }
    }

    async Task<Event?> Next()
    {
        string? name = null, id = null, data = null;
        while (await _reader.ReadLineAsync(_limit.Token) is { } line)
        {
            if (line.Length == 0 && data is not null)
                return new Event(name!, id, data);
            if (line.StartsWith("event: ", StringComparison.Ordinal))
                name = line[7..];
            else if (line.StartsWith("id: ", StringComparison.Ordinal))
                id = line[4..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                data = line[6..];
        }
        return null;
    }

    public void Dispose()
    {
        _reader.Dispose();
        _answer.Dispose();
        _limit.Dispose();
    }
}
