using Helix.Runbooks.Journal;
using Helix.Server.Accounts;
using Microsoft.Playwright;

namespace Helix.Server.Tests.Seen;

/// <summary>What a real browser does with our forms.</summary>
public sealed class FormsSeenTests(Chromium chromium) : IClassFixture<Chromium>
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
        Assert.Equal(0, await bob.Page.EvaluateAsync<int>("() => window.sent"));
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
        await alice.Page.WaitForURLAsync("**/runs/*");
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
}
