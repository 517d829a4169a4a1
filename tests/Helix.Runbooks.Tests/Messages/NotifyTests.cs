using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Http;
using Helix.Steps.Messages;

namespace Helix.Runbooks.Tests.Messages;

public sealed class NotifyTests : IDisposable
{
    readonly TestHost _host = new();

    [Fact]
    public async Task A_webhook_gets_the_message_as_json_and_its_address_is_seen_nowhere()
    {
        using var server = new HttpStub(_ => new(204));
        var url = _host.Canary("HOOK", server.Url + "secret-path-4711");
        var signing = _host.Canary("SIGN");
        _host.Add("ops", new WebhookTarget { Url = url, SigningKey = signing });
        Assert.True((await _host.Run(new Notify(), Options())).Sent);
        var request = Assert.Single(server.Requests);
        Assert.Equal("/secret-path-4711", request.Path);
        var body = JsonNode.Parse(request.Body)!;
        Assert.Equal(("Graph loaded", "critical", "run-1", false), ((string)body["text"]!, (string)body["severity"]!, (string)body["run"]!, (bool)body["test"]!));
        Assert.Equal("sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(_host.ValueOf(signing)), Encoding.UTF8.GetBytes(request.Body))), request.Headers["X-Helix-Signature"]);
        Assert.StartsWith("run-1/step/", request.Headers["Idempotency-Key"], StringComparison.Ordinal);
        _host.AssertNoCanary();
    }

    [Theory]
    [InlineData("off", 0)]
    [InlineData("test", 1)]
    [InlineData("on", 1)]
    public async Task Communication_of_the_run_is_obeyed(string comms, int messages)
    {
        using var server = new HttpStub(_ => new(200, "ok"));
        _host.Comms = comms;
        _host.Add("ops", new SlackTarget { Url = _host.Canary("HOOK", server.Url) });
        Assert.Equal(messages == 1, (await _host.Run(new Notify(), Options())).Sent);
        Assert.Equal(messages, server.Requests.Count);
        Assert.Equal(comms == "test", messages == 1 && server.Requests.First().Body.Contains("[TEST]", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Slack_gets_its_own_form_with_marks_escaped()
    {
        using var server = new HttpStub(_ => new(200, "ok"));
        _host.Add("ops", new SlackTarget { Url = _host.Canary("HOOK", server.Url) });
        await _host.Run(new Notify(), Options() with { Message = "a < b & <!channel>" });
        var body = JsonNode.Parse(server.Requests.First().Body)!;
        Assert.Equal("a &lt; b &amp; &lt;!channel&gt;", (string)body["blocks"]![1]!["text"]!["text"]!);
    }

    [Theory]
    [InlineData(500, FailureClass.Transient)]
    [InlineData(404, FailureClass.Missing)]
    [InlineData(301, FailureClass.InvalidData)]
    public async Task PM_01_a_message_that_was_not_taken_is_a_visible_failure(int status, FailureClass failure)
    {
        using var server = new HttpStub(_ => new(status, "", new Dictionary<string, string> { ["Location"] = "http://127.0.0.1:1/" }));
        _host.Add("ops", new WebhookTarget { Url = _host.Canary("HOOK", server.Url + "secret-path-4711") });
        Assert.Contains("'ops'", (await _host.Fails(failure, new Notify(), Options())).Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
        Assert.True(new StepCatalog(typeof(Notify).Assembly).Steps["notify"].About.FailureIsWarning);
    }

    [Fact]
    public async Task A_receiver_that_is_not_there_is_named_without_its_address()
    {
        _host.Add("ops", new WebhookTarget { Url = _host.Canary("HOOK", $"http://127.0.0.1:{Ports.Free()}/secret-path-4711") });
        var e = await _host.Fails(FailureClass.Transient, new Notify(), Options());
        Assert.DoesNotContain("127.0.0.1", e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mail_reaches_everybody_of_the_target()
    {
        var password = _host.Canary("MAIL");
        using var server = new SmtpStub(credentials: $"\0helix\0{_host.ValueOf(password)}");
        _host.Add("ops", Email(server.Port) with { User = "helix", Password = password });
        await _host.Run(new Notify(), Options() with { Title = "Größe\r\nBcc: evil@example.com" });
        var mail = Assert.Single(server.Mails);
        Assert.Contains("To: alice@example.com, bob@example.com", mail, StringComparison.Ordinal);
        Assert.Contains("Graph loaded", mail, StringComparison.Ordinal);
        Assert.DoesNotContain("\nBcc:", mail, StringComparison.Ordinal);
        _host.AssertNoCanary();
    }

    [Fact]
    public async Task Mail_refusals_are_told_apart()
    {
        using var later = new SmtpStub("450 later");
        using var never = new SmtpStub("550 no such user");
        using var auth = new SmtpStub(credentials: "other");
        _host.Add("ops", Email(later.Port));
        await _host.Fails(FailureClass.Transient, new Notify(), Options());
        _host.Add("ops2", Email(never.Port));
        await _host.Fails(FailureClass.InvalidData, new Notify(), Options() with { Target = "ops2" });
        _host.Add("ops3", Email(auth.Port) with { User = "helix", Password = _host.Canary("MAIL") });
        await _host.Fails(FailureClass.Auth, new Notify(), Options() with { Target = "ops3" });
        _host.Add("ops4", Email(Ports.Free()));
        await _host.Fails(FailureClass.Transient, new Notify(), Options() with { Target = "ops4" });
        _host.Add("ops5", Email(never.Port) with { Security = MailSecurity.StartTls });
        await _host.Fails(FailureClass.InvalidData, new Notify(), Options() with { Target = "ops5" });
    }

    [Fact]
    public async Task A_receiver_can_drop_a_second_try_and_not_what_another_round_says()
    {
        using var server = new HttpStub(_ => new(204));
        using var mail = new SmtpStub();
        _host.Add("ops", new WebhookTarget { Url = _host.Canary("HOOK", server.Url) });
        _host.Add("mail", Email(mail.Port));
        for (var attempt = 0; attempt < 2; attempt++)
        {
            await _host.Run(new Notify(), Options());
            await _host.Run(new Notify(), Options() with { Target = "mail" });
        }
        _host.SavedValues.Clear();
        await _host.Run(new Notify(), Options());
        await _host.Run(new Notify(), Options() with { Target = "mail" });
        var ids = server.Requests.Select(r => r.Headers["Idempotency-Key"]).Zip(mail.Mails.Select(m => m.Split('\n').Single(l => l.StartsWith("Message-Id:", StringComparison.OrdinalIgnoreCase)))).ToList();
        Assert.Equal(ids[0], ids[1]);
        Assert.NotEqual(ids[1].First, ids[2].First);
        Assert.NotEqual(ids[1].Second, ids[2].Second);
    }

    [Fact]
    public async Task A_mail_can_be_told_from_within_a_loop()
    {
        using var server = new SmtpStub();
        _host.Add("ops", Email(server.Port));
        await new Notify().Run(Options(), _host.Context("each[3]/tell"));
        Assert.Single(server.Mails);
    }

    [Fact]
    public async Task A_mail_server_that_takes_no_mail_without_an_account_or_says_nothing_at_all_is_no_mistake_of_ours()
    {
        using var closed = new SmtpStub("530 5.7.0 Authentication required");
        _host.Add("ops", Email(closed.Port));
        await _host.Fails(FailureClass.Auth, new Notify(), Options());

        using var deaf = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        deaf.Start();
        var target = _host.Add("deaf", Email(((System.Net.IPEndPoint)deaf.LocalEndpoint).Port));
        var message = new Message { Id = "1", Title = "t", Text = "x", Severity = "info", Environment = "test", At = DateTimeOffset.UnixEpoch, Test = false };
        var e = await Assert.ThrowsAsync<StepFailedException>(() => new MailDelivery(target, _host.PlanContext()) { Patience = TimeSpan.FromMilliseconds(200) }.Send(message));
        Assert.Equal(FailureClass.Transient, e.Failure);
    }

    static NotifyOptions Options() => new() { Target = "ops", Message = "Graph loaded", Severity = Severity.Critical };

    static EmailTarget Email(int port) => new()
    {
        Host = "127.0.0.1",
        Port = port,
        Security = MailSecurity.None,
        From = "helix@example.com",
        To = ["alice@example.com", "bob@example.com"],
    };

    public void Dispose() => _host.Dispose();
}
