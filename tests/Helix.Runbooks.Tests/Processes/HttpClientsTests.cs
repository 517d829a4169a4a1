using System.Net;
using System.Net.Sockets;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Http;

namespace Helix.Runbooks.Tests.Processes;

public sealed class HttpClientsTests : IDisposable
{
    readonly TestHost _host = new();
    public void Dispose() => _host.Dispose();

    [Fact]
    public async Task A_request_to_a_silent_server_ends_with_the_step()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var http = _host.Context().Http();
        var request = http.GetAsync($"http://{silent.LocalEndpoint}/");
        using var connection = await silent.AcceptTcpClientAsync();
        _host.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request.WaitAsync(Hang.Limit, TimeProvider.System));
    }

    [Fact]
    public async Task A_request_to_a_silent_server_ends_at_its_timeout()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var http = _host.Context().Http(new() { Timeout = TimeSpan.FromMilliseconds(200) });
        var e = await Assert.ThrowsAsync<TaskCanceledException>(() => http.GetAsync($"http://{silent.LocalEndpoint}/"));
        Assert.IsType<TimeoutException>(e.InnerException);
    }

    [Fact]
    public async Task Before_each_request_of_one_client_it_is_asked_whether_it_may_be_sent()
    {
        using var server = new HttpStub(_ => new(200));
        var asked = 0;
        using var http = HttpClients.For(new(), before: () =>
        {
            if (++asked == 3)
                throw new LeaseLostException("r1", 1);
        });
        await http.GetAsync(server.Url);
        await http.GetAsync(server.Url);
        await Assert.ThrowsAsync<LeaseLostException>(() => http.GetAsync(server.Url));
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public void A_file_of_authorities_that_is_not_there_or_empty_is_said_before_any_request()
    {
        var missing = Path.Combine(_host.Folder, "ca.pem");
        Assert.Contains(missing, Assert.Throws<RunbookException>(() => HttpClients.For(new() { CaFile = missing })).Message);
        File.WriteAllText(missing, "nothing\n");
        Assert.Contains(missing, Assert.Throws<RunbookException>(() => HttpClients.For(new() { CaFile = missing })).Message);
    }
}
