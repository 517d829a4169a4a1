using System.Net;
using Helix.Server.Accounts;

namespace Helix.Server.Tests.Accounts;

public sealed class AccountPageTests
{
    [Fact]
    public async Task An_account_becomes_what_the_page_said_however_often_and_late_its_button_is_pressed()
    {
        await using var here = await new ServerHere().Start();
        using var root = await here.LogIn("root", Role.Admin);
        (await here.LogIn("mallory", Role.Operator)).Dispose();
        Assert.Contains("name=\"disabled\" value=\"yes\"", (await root.Get("/accounts")).Text, StringComparison.Ordinal);
        for (var press = 0; press < 2; press++)
        {
            var answer = await root.Post("/accounts/mallory/disable", ("disabled", "yes"));
            Assert.Equal((HttpStatusCode.Redirect, "/accounts"), (answer.Status, answer.To!.ToString()));
            Assert.True(here.Accounts.Find("mallory")!.Disabled);
        }
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await root.Post("/accounts/mallory/disable")).Status);
        Assert.True(here.Accounts.Find("mallory")!.Disabled);
        await root.Post("/accounts/mallory/disable", ("disabled", "no"));
        Assert.False(here.Accounts.Find("mallory")!.Disabled);
    }

    [Fact]
    public async Task Roles_that_are_not_understood_come_back_as_they_were_written()
    {
        await using var here = await new ServerHere().Start();
        using var root = await here.LogIn("root", Role.Admin);
        (await here.LogIn("alice", Role.Operator)).Dispose();
        var refused = await root.Post("/accounts/alice/grants", ("grant", "viewer:*\noperator production"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Contains("is no role on an environment", refused.Text, StringComparison.Ordinal);
        Assert.Contains("viewer:*\noperator production</textarea>", WebUtility.HtmlDecode(refused.Text), StringComparison.Ordinal);
        var another = await root.Post("/accounts", ("name", "bob"), ("grant", "king:*"));
        Assert.Contains("name=\"name\" value=\"bob\"", another.Text, StringComparison.Ordinal);
        Assert.Contains("king:*</textarea>", WebUtility.HtmlDecode(another.Text), StringComparison.Ordinal);
        Assert.Null(here.Accounts.Find("bob"));
        Assert.Equal(HttpStatusCode.Redirect, (await root.Post("/accounts/alice/grants", ("grant", "viewer:*"))).Status);
        Assert.Equal([new Grant(Role.Viewer, "*")], here.Accounts.Find("alice")!.Grants);
    }
}
