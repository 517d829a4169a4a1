using System.Text.RegularExpressions;
using Helix.Runbooks.Journal;
using Helix.Server.Accounts;
using Microsoft.Playwright;

namespace Helix.Server.Tests.Seen;

/// <summary>Clocks that tick in a real browser.</summary>
public sealed partial class PageClockTests(Chromium chromium)
{
    [Fact]
    public async Task Clocks_go_by_the_server_also_where_the_machine_of_the_reader_is_hours_late()
    {
        var clock = new Messages.Clock();
        clock.Pass(TimeSpan.FromHours(5));
        await using var here = await new ServerHere { Time = clock }.Start();
        here.Runbook("gate", Books.Gate);
        using var alice = await here.LogIn("alice", Role.Operator);
        await using var screen = await chromium.Open(here, "clock");
        await screen.LogIn("alice");
        var run = (await alice.Post("/runbooks/gate/start", ("environment", "here"), ("mode", "live"))).Run;
        await here.Becomes(run, RunStatus.Waiting);
        await screen.Page.GotoAsync("/runs/" + run);
        var (since, until) = (screen.Page.Locator("[data-since]").First, screen.Page.Locator("[data-until]").First);
        await Assertions.Expect(until).ToHaveTextAsync(Left());
        await Assertions.Expect(since).ToHaveTextAsync(Gone());
        // What comes while the page is open tells the time too.
        clock.Pass(TimeSpan.FromMinutes(5));
        await alice.Post($"/runs/{run}/note", ("text", "five minutes later"));
        await Assertions.Expect(since).ToHaveTextAsync(Later());
    }

    [GeneratedRegex("^0:0[0-4]:")]
    private static partial Regex Gone();

    [GeneratedRegex("^0:0[5-9]:")]
    private static partial Regex Later();

    [GeneratedRegex(@"^\(0:2\d:\d\d left\)$")]
    private static partial Regex Left();
}
