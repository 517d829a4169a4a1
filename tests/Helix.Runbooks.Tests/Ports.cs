using System.Net;
using System.Net.Sockets;

namespace Helix.Runbooks.Tests;

/// <summary>
/// Free ports for servers that open them in a moment, all below those that the kernel gives to clients, which are many here.
/// None is given twice in a process, so a server that is down for a while finds its own again; processes begin in different places.
/// </summary>
static class Ports
{
    const int First = 10_000, Apart = 320;
    static readonly int End = int.Parse(File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range").Split('\t')[0]);
    static readonly Lock Taking = new();
    static int _next = First + Environment.ProcessId * Apart % (End - First);

    public static int Free() => Free(inARow: 1);

    /// <returns>The first of them.</returns>
    public static int Free(int inARow)
    {
        lock (Taking)
            while (true)
            {
                if (_next + inARow > End)
                    _next = First;
                var first = _next;
                _next += inARow;
                if (Enumerable.Range(first, inARow).All(IsFree))
                    return first;
            }
    }

    /// <summary>Bound, not listened on: a process that is started at this moment inherits the socket for a while, and one that listens would keep the server from its port (EADDRINUSE).</summary>
    static bool IsFree(int port)
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
