using System.Net;
using System.Net.Sockets;

namespace Helix.Runbooks.Tests.Neo4j;

/// <summary>A free port for a server that another process will open in a moment: below those that the kernel gives to clients, which are many here.</summary>
static class StubPort
{
    const int First = 12_000, Last = 32_000;

    public static int Free()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, Last);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody has it: another one.
            }
        }
    }
}
