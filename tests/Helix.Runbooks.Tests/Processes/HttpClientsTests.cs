using System.Net;
using System.Net.Sockets;
using Helix.Runbooks.Steps;

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
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System));
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
    public void A_file_of_authorities_that_is_not_there_or_empty_is_said_before_any_request()
    {
        var missing = Path.Combine(_host.Folder, "ca.pem");
        Assert.Contains(missing, Assert.Throws<RunbookException>(() => HttpClients.For(new() { CaFile = missing })).Message);
        File.WriteAllText(missing, "nothing\n");
        Assert.Contains(missing, Assert.Throws<RunbookException>(() => HttpClients.For(new() { CaFile = missing })).Message);
    }
}
