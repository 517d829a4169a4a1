using System.Globalization;
using System.Net.Sockets;
using Helix.Runbooks.Journal;

namespace Helix.Runbooks.Runs;

/// <summary>Who is at the other end of a Unix socket, as the kernel says (SO_PEERCRED).</summary>
static class PeerAccount
{
    const int SocketLevel = 1, PeerCredentials = 17;

    public static Person Of(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[12]; // process, user, group
        socket.GetRawSocketOption(SocketLevel, PeerCredentials, credentials);
        return new Person(Name(BitConverter.ToUInt32(credentials[4..8])), IdentityStrength.Os, "socket");
    }

    static string Name(uint user)
    {
        var number = user.ToString(CultureInfo.InvariantCulture);
        // As `Environment.UserName`, which does not ask for others than ourselves.
        return File.ReadLines("/etc/passwd").Select(l => l.Split(':')).FirstOrDefault(f => f.Length > 2 && f[2] == number)?[0] ?? $"uid-{number}";
    }
}
