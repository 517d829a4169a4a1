using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Http;
using HttpRequestOptions = Helix.Steps.Http.HttpRequestOptions;
using Assert = Xunit.Assert;
using ValueType = Helix.Runbooks.Steps.ValueType;

namespace Helix.Runbooks.Tests.Http;

public sealed class HttpStepTests : IDisposable
{
    static readonly Duration Soon = new(TimeSpan.FromMilliseconds(20));

    readonly TestHost _host = new();

    [Fact]
    public async Task A_request_sends_what_was_asked_and_gives_the_declared_outputs()
    {
        using var server = new HttpStub(_ => new(201, """{"id": 7, "items": [{"name": "first"}], "ok": true, "at": "2026-03-01T12:00:00Z"}"""));
        var token = _host.Canary("TOKEN");
        var key = _host.Canary("KEY");
        _host.Add("api", new HttpTarget { Url = server.Url, Headers = new Dictionary<string, Secret> { ["X-Key"] = key } });
        var outputs = await _host.Run(new HttpRequest(), new()
        {
            Target = "api",
            Path = "things?x=1",
            Method = HttpVerb.Post,
            Json = JsonNode.Parse("""{"a": "b"}"""),
            Bearer = token,
            Headers = new Dictionary<string, string> { ["X-Plain"] = "plain" },
            Outputs = new Dictionary<string, DeclaredOutput>
            {
                ["id"] = new() { Type = ValueType.Number, From = "json:$.id" },
                ["name"] = new() { From = "json:$.items[0].name" },
                ["ok"] = new() { Type = ValueType.Boolean, From = "json:$['ok']" },
                ["at"] = new() { Type = ValueType.Timestamp, From = "json:$.at" },
            },
        });
        var json = StepJson.ToJson(outputs);
        Assert.Equal(7, json["id"]!.GetValue<int>());
        Assert.Equal("first", json["name"]!.GetValue<string>());
        Assert.True(json["ok"]!.GetValue<bool>());
        var request = Assert.Single(server.Requests);
        Assert.Equal(("POST", "/things?x=1", """{"a":"b"}"""), (request.Method, request.Path, request.Body));
        Assert.Equal($"Bearer {_host.ValueOf(token)}", request.Headers["Authorization"]);
        Assert.Equal(_host.ValueOf(key), request.Headers["X-Key"]);
        Assert.Equal("plain", request.Headers["X-Plain"]);
        Assert.StartsWith("application/json", request.Headers["Content-Type"], StringComparison.Ordinal);
        _host.AssertNoCanary(outputs);
    }

    [Theory]
    [InlineData(500, FailureClass.Transient)]
    [InlineData(503, FailureClass.Transient)]
    [InlineData(429, FailureClass.Transient)]
    [InlineData(401, FailureClass.Auth)]
    [InlineData(403, FailureClass.Auth)]
    [InlineData(404, FailureClass.Missing)]
    [InlineData(409, FailureClass.Conflict)]
    [InlineData(422, FailureClass.InvalidData)]
    public async Task A_status_that_was_not_expected_fails_with_its_class_and_the_body(int status, FailureClass failure)
    {
        using var server = new HttpStub(_ => new(status, "because of this"));
        var e = await _host.Fails(failure, new HttpRequest(), new() { Url = server.Url });
        Assert.Contains($"{status}", e.Message, StringComparison.Ordinal);
        Assert.Contains("because of this", e.Message, StringComparison.Ordinal);
        await _host.Run(new HttpRequest(), new() { Url = server.Url, Expect = [status] });
    }

    [Fact]
    public async Task Nobody_there_is_transient_and_the_message_holds_no_query()
    {
        var e = await _host.Fails(FailureClass.Transient, new HttpRequest(), new() { Url = $"http://127.0.0.1:{Ports.Free()}/x?token=abc" });
        Assert.Contains("ConnectionRefused", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("abc", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("number", "json:$.text")]
    [InlineData("string", "json:$.list")]
    [InlineData("string", "json:$.none")]
    [InlineData("string", "json:$.list[5]")]
    [InlineData("list", "json:$.text")]
    [InlineData("timestamp", "json:$.text")]
    public async Task An_output_that_is_not_there_or_of_another_type_fails_the_step(string type, string from)
    {
        using var server = new HttpStub(_ => new(200, """{"text": "a", "list": [1]}"""));
        var declared = JsonNode.Parse($$"""{"type": "{{type}}", "from": "{{from}}"}""")!;
        var output = (DeclaredOutput)StepJson.Bind(declared, typeof(DeclaredOutput));
        var e = await _host.Fails(FailureClass.InvalidData, new HttpRequest(), new() { Url = server.Url, Outputs = new Dictionary<string, DeclaredOutput> { ["x"] = output } });
        Assert.Contains("'x'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_is_no_json_fails_with_its_beginning()
    {
        using var server = new HttpStub(_ => new(200, "<html>Login</html>"));
        var options = new HttpRequestOptions { Url = server.Url, Outputs = new Dictionary<string, DeclaredOutput> { ["x"] = new() { From = "json:$.x" } } };
        Assert.Contains("<html>Login", (await _host.Fails(FailureClass.InvalidData, new HttpRequest(), options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DOC_09_a_check_waits_until_the_server_is_ready_and_shows_each_new_value()
    {
        var asked = 0;
        using var server = new HttpStub(_ => ++asked switch { <= 2 => new(503, "starting"), 3 => new(200, """{"status":"warming"}"""), _ => new(200, """{"status":"up"}""") });
        var outputs = await _host.Run(new HttpCheck(), new() { Url = server.Url, Value = "json:$.status", Is = "up", Interval = Soon });
        Assert.Equal(("up", 4), (outputs.Value, outputs.Requests));
        Assert.Equal(["503 starting", "warming", "up"], _host.Logged.Select(l => l[(l.LastIndexOf(": ", StringComparison.Ordinal) + 2)..]));
    }

    [Fact]
    public async Task Healthy_for_means_without_a_break()
    {
        var asked = 0;
        using var server = new HttpStub(_ => new(++asked == 3 ? 500 : 200));
        // Ten pauses after the fourth request, on a clock that only these move.
        using var host = new TestHost { Clock = new PauselessClock(stands: true) };
        var outputs = await host.Run(new HttpCheck(), new() { Url = server.Url, Timeout = new(TimeSpan.FromMinutes(1)), Interval = Soon, HealthyFor = new(TimeSpan.FromMilliseconds(200)) });
        Assert.Equal(14, outputs.Requests);
    }

    [Fact]
    public async Task DOC_09_at_its_limit_a_check_fails_with_the_last_answer()
    {
        using var server = new HttpStub(_ => new(503, "still starting"));
        var options = new HttpCheckOptions { Url = server.Url, Interval = Soon, Within = new(TimeSpan.FromMilliseconds(200)) };
        Assert.Contains("still starting", (await _host.Fails(FailureClass.Transient, new HttpCheck(), options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_accepts_and_says_nothing_is_given_up()
    {
        using var deaf = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        deaf.Start();
        var url = $"http://127.0.0.1:{((System.Net.IPEndPoint)deaf.LocalEndpoint).Port}/";
        var options = new HttpCheckOptions { Url = url, Timeout = new(TimeSpan.FromMilliseconds(100)), Interval = Soon, Within = new(TimeSpan.Zero) };
        Assert.Contains("did not answer within 100ms", (await _host.Fails(FailureClass.Transient, new HttpCheck(), options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_post_is_never_sent_on_as_a_get_and_the_redirect_can_be_what_was_expected()
    {
        using var server = new HttpStub(r => r.Path.StartsWith("/login", StringComparison.Ordinal) ? new(200, "Please log in") : new(302, "", To("/login?token=abc")));
        var post = new HttpRequestOptions { Url = server.Url, Method = HttpVerb.Post, Body = "x" };
        var e = await _host.Fails(FailureClass.InvalidData, new HttpRequest(), post);
        Assert.Contains($"302 Found, and sends to {server.Url}login", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("abc", e.ToString(), StringComparison.Ordinal);
        await _host.Run(new HttpRequest(), post with { Expect = [302] });
        Assert.All(server.Requests, r => Assert.Equal("POST", r.Method));
        Assert.Equal("Please log in", (await _host.Run(new HttpCheck(), new() { Url = server.Url, Value = "text", Interval = Soon })).Value);
    }

    [Fact]
    public async Task Secret_headers_follow_a_redirect_only_to_the_same_server()
    {
        using var other = new HttpStub(_ => new(200, "other"));
        using var server = new HttpStub(r => r.Path switch { "/near" => new(301, "", To("/here")), "/far" => new(307, "", To(other.Url)), "/loop" => new(302, "", To("/loop")), _ => new(200, "here") });
        var key = _host.Canary("KEY");
        var near = new HttpRequestOptions { Url = server.Url, Path = "near", SecretHeaders = new Dictionary<string, Secret> { ["X-Key"] = key }, Outputs = new Dictionary<string, DeclaredOutput> { ["x"] = new() } };
        Assert.Equal("here", (await _host.Run(new HttpRequest(), near)).Values["x"]!.ToString());
        Assert.All(server.Requests, r => Assert.Equal(_host.ValueOf(key), r.Headers["X-Key"]));
        Assert.Contains($"sends to {other.Url}", (await _host.Fails(FailureClass.InvalidData, new HttpRequest(), near with { Path = "far" })).Message, StringComparison.Ordinal);
        Assert.Empty(other.Requests);
        Assert.Equal("other", (await _host.Run(new HttpRequest(), near with { Path = "far", SecretHeaders = new Dictionary<string, Secret>() })).Values["x"]!.ToString());
        Assert.Contains("more than 10 times", (await _host.Fails(FailureClass.InvalidData, new HttpRequest(), near with { Path = "loop" })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "did not answer within 1s")]
    [InlineData(true, "broke off in the middle of its answer")]
    public async Task An_answer_that_stops_in_its_middle_is_transient_whether_it_hangs_or_breaks(bool breaks, string words)
    {
        using var server = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        server.Start();
        var answering = Half(server, breaks);
        var options = new HttpRequestOptions { Url = $"http://{server.LocalEndpoint}/", Timeout = new(breaks ? TimeSpan.FromMinutes(1) : TimeSpan.FromSeconds(1)) };
        Assert.Contains(words, (await _host.Fails(FailureClass.Transient, new HttpRequest(), options)).Message, StringComparison.Ordinal);
        await answering;
    }

    /// <summary>Gives the beginning of an answer; then it closes, or waits until the other side has.</summary>
    static async Task Half(System.Net.Sockets.TcpListener server, bool breaks)
    {
        using var client = await server.AcceptTcpClientAsync();
        using var reader = new StreamReader(client.GetStream());
        try
        {
            while (await reader.ReadLineAsync() is { Length: > 0 })
                ;
            await client.GetStream().WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf"u8.ToArray());
            if (!breaks)
                await reader.ReadToEndAsync();
        }
        catch (IOException) when (!breaks)
        {
            // On a busy machine its time is over before the first half is there.
        }
    }

    [Fact]
    public async Task A_look_that_hangs_ends_with_the_time_in_which_it_must_be_right()
    {
        var within = new Duration(TimeSpan.FromMilliseconds(300));
        var command = await _host.Fails(FailureClass.Transient, new WaitUntil(), new() { Command = ["sleep", "1000"], Within = within });
        Assert.Contains("within 300ms; last: no answer", command.Message, StringComparison.Ordinal);
        using var deaf = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        deaf.Start();
        var url = $"http://127.0.0.1:{((System.Net.IPEndPoint)deaf.LocalEndpoint).Port}/";
        var check = await _host.Fails(FailureClass.Transient, new HttpCheck(), new() { Url = url, Timeout = new(TimeSpan.FromHours(1)), Within = within });
        Assert.Contains("last: no answer", check.Message, StringComparison.Ordinal);
    }

    static Dictionary<string, string> To(string location) => new() { ["Location"] = location };

    [Fact]
    public async Task A_cancelled_check_ends_at_once()
    {
        using var server = new HttpStub(_ => new(503));
        var running = _host.Run(new HttpCheck(), new() { Url = server.Url, Interval = new(TimeSpan.FromHours(1)) });
        await Eventually.True(() => !server.Requests.IsEmpty, "the first request");
        _host.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(Hang.Limit));
    }

    [Fact]
    public async Task Wait_until_asks_a_command_again_until_it_prints_the_right_thing()
    {
        var marker = Path.Combine(_host.Folder, "marker");
        _host.OnProgress = looks => File.WriteAllText(marker, looks < 3 ? "not yet" : "ready");
        var outputs = await _host.Run(new WaitUntil(), new() { Command = ["cat", marker], Prints = "ready", Interval = Soon });
        Assert.Equal("ready", outputs.Value);
        Assert.True(outputs.Looks >= 4);
    }

    [Fact]
    public async Task Wait_until_asks_a_server_too_and_needs_one_of_both()
    {
        using var server = new HttpStub(_ => new(200, """{"leader": "b"}"""));
        Assert.Equal("b", (await _host.Run(new WaitUntil(), new() { Http = new() { Url = server.Url, Value = "json:$.leader" }, Interval = Soon })).Value);
        await Assert.ThrowsAsync<RunbookException>(() => _host.Run(new WaitUntil(), new()));
        await Assert.ThrowsAsync<RunbookException>(() => _host.Run(new WaitUntil(), new() { Http = new() { Url = server.Url }, Command = ["true"] }));
    }

    [Theory]
    [InlineData("dashboard")]
    [InlineData("ftp://dashboard/")]
    [InlineData("/api")]
    [InlineData("")]
    public async Task An_address_that_is_none_is_the_authors_to_mend(string url) =>
        await Assert.ThrowsAsync<RunbookException>(() => _host.Run(new HttpRequest(), new() { Url = url }));

    [Fact]
    public async Task An_assertion_says_what_it_means_when_it_is_not_so()
    {
        await _host.Run(new Helix.Steps.Http.Assert(), new() { That = true, Message = "x" });
        var e = await _host.Fails(FailureClass.InvalidData, new Helix.Steps.Http.Assert(), new() { That = false, Message = "the replica is empty" });
        Assert.Equal("the replica is empty", e.Message);
    }

    public void Dispose() => _host.Dispose();
}
