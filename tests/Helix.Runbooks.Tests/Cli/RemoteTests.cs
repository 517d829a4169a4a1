using System.Text.Json.Nodes;
using Helix.Runbooks.Tests.Http;
using Xunit;

namespace Helix.Runbooks.Tests.Cli;

/// <summary>The commands of a server, against one that answers what the test says.</summary>
public sealed class RemoteTests
{
    static async Task<(int Code, string Out, string Error)> Helix(HttpStub server, params string[] arguments)
    {
        using var process = new HelixProcess("/nowhere/helix.db", [.. arguments, "--server", server.Url], ("HELIX_TOKEN", "token"));
        return await process.End();
    }

    static string Report(string status) => new JsonObject
    {
        ["run"] = "260301-0200",
        ["status"] = status,
        ["verdict"] = $"It is {status}.",
        ["steps"] = new JsonArray(),
        ["questions"] = new JsonArray(),
        ["objectives"] = new JsonObject(),
    }.ToJsonString();

    [Fact]
    public async Task A_run_that_is_resumed_is_followed_although_no_driver_has_taken_it_yet()
    {
        string[] told = ["suspended", "suspended", "running", "succeeded"];
        var looks = 0;
        using var server = new HttpStub(r => r.Method == "POST" ? new StubAnswer(202) : new StubAnswer(200, Report(told[Math.Min(looks++, told.Length - 1)])));
        var (code, said, error) = await Helix(server, "resume", "260301-0200");
        Assert.True(code == 0, error);
        Assert.Contains("It is succeeded.", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_that_an_answer_stands_for_is_shown_before_it_is_given()
    {
        var asked = new JsonArray(new JsonObject
        {
            ["run"] = "260301-0200",
            ["question"] = "go#1.1",
            ["path"] = "go",
            ["kind"] = "approval",
            ["message"] = "Overwrite redis?",
            ["shown"] = new JsonObject { ["covers"] = new JsonArray("load: redis.restore destroys redis") },
            ["shownHash"] = new string('f', 64),
            ["whom"] = "group:dba (not the author)",
            ["choices"] = new JsonArray("approve", "reject"),
            ["expiresAt"] = "2026-03-01T02:36:02Z",
        });
        using var server = new HttpStub(r => r.Method == "POST" ? new StubAnswer(200, """{"accepted":true,"message":"recorded","status":"running"}""") : new StubAnswer(200, asked.ToJsonString()));
        var (code, _, error) = await Helix(server, "approve", "260301-0200");
        Assert.True(code == 0, error);
        Assert.Contains("covers:\n  load: redis.restore destroys redis\nwho:     group:dba (not the author)\nuntil:   2026-03-01 02:36:02Z\n", error, StringComparison.Ordinal);
    }
}
