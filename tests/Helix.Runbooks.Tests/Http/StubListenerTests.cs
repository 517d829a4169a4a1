using System.Net.Sockets;

namespace Helix.Runbooks.Tests.Http;

public sealed class StubListenerTests
{
    [Fact]
    public async Task Somebody_who_connects_all_the_time_does_not_disturb_the_start()
    {
        var port = Ports.Free();
        using var done = new CancellationTokenSource();
        var connecting = Enumerable.Range(0, 2).Select(_ => Task.Run(() => Connect(port, done.Token))).ToList();

        for (var i = 0; i < 20; i++)
        {
            using var listener = new StubListener(port, context => StubListener.Send(context, 200, "here"));
            using var client = new HttpClient();
            Assert.Equal("here", await client.GetStringAsync($"http://127.0.0.1:{port}/"));
        }

        await done.CancelAsync();
        await Task.WhenAll(connecting);
    }

    static async Task Connect(int port, CancellationToken done)
    {
        while (!done.IsCancellationRequested)
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", port, CancellationToken.None);
            }
            catch (SocketException)
            {
                // It does not listen yet.
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
            }
    }
}
