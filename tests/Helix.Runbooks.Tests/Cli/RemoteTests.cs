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

    static string Report(string status, params IEnumerable<JsonNode> questions) => new JsonObject
    {
        ["run"] = "260301-0200",
        ["status"] = status,
        ["verdict"] = $"It is {status}.",
        ["steps"] = new JsonArray(),
        ["questions"] = new JsonArray([.. questions]),
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
    public async Task A_server_that_starts_again_is_waited_for_by_who_follows_a_run_there()
    {
        var looks = 0;
        using var server = new HttpStub(_ => looks++ < 1 ? new StubAnswer(503) : new StubAnswer(200, Report("failed")));
        var (code, said, error) = await Helix(server, "show", "260301-0200", "--follow");
        Assert.True(code == 1, error);
        Assert.Contains("It is failed.", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_waits_on_a_server_ends_with_a_command_that_can_be_pasted()
    {
        using var server = new HttpStub(r => r.Method == "POST" ? new StubAnswer(202) : new StubAnswer(200, Report("waiting", new JsonObject
        {
            ["question"] = "load#1.1",
            ["kind"] = "failed-step",
            ["waitsFor"] = "anybody",
            ["message"] = "load failed",
            ["command"] = "helix decide 260301-0200 load#1.1 CHOICE --resume   # CHOICE: retry, abort",
        })));
        var (code, said, error) = await Helix(server, "resume", "260301-0200");
        Assert.True(code == 4, error);
        Assert.Contains($"  helix --server {server.Url} decide 260301-0200 load#1.1 CHOICE --resume   # CHOICE: retry, abort", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_is_given_is_meant_whatever_server_the_environment_names()
    {
        using var here = new HelixHere();
        using (var local = new HelixProcess("/nowhere/helix.db", ["runs", "--json", "--store", here.Store], ("HELIX_SERVER", "http://127.0.0.1:1")))
            Assert.Equal((0, "[]\n"), await local.End() is var (code, said, _) ? (code, said) : default);
        using (var empty = new HelixProcess(here.Store, ["runs", "--json", "--server", ""], ("HELIX_SERVER", "http://127.0.0.1:1")))
            Assert.Equal(0, (await empty.End()).Code);
        using var none = new HelixProcess(here.Store, ["doctor", "x"], ("HELIX_SERVER", "http://127.0.0.1:1"));
        Assert.Contains("$HELIX_SERVER", (await none.End()).Error, StringComparison.Ordinal);
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
        var (code, _, error) = await Helix(server, "approve", "260301-0200", "--resume");
        Assert.True(code == 0, error);
        Assert.Contains("covers:\n  load: redis.restore destroys redis\nwho:     group:dba (not the author)\nuntil:   2026-03-01 02:36:02Z\n", error, StringComparison.Ordinal);
    }
}
