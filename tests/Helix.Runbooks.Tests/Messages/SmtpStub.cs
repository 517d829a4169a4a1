using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Helix.Runbooks.Tests.Messages;

/// <summary>A small SMTP server: takes mails, or refuses with the given code.</summary>
sealed class SmtpStub : IDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly string? _refusal;
    readonly string? _credentials;

    public SmtpStub(string? refusal = null, string? credentials = null)
    {
        _refusal = refusal;
        _credentials = credentials;
        _listener.Start();
        _ = Serve();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;
    public ConcurrentQueue<string> Mails { get; } = new();

    async Task Serve()
    {
        while (true)
        {
            try
            {
                using var client = await _listener.AcceptTcpClientAsync();
                await Talk(client.GetStream());
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
            {
                if (e is not IOException)
                    return;
            }
        }
    }

    async Task Talk(NetworkStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8);
        await using var writer = new StreamWriter(stream, new UTF8Encoding(false)) { NewLine = "\r\n", AutoFlush = true };
        await writer.WriteLineAsync("220 stub");
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("DATA", StringComparison.OrdinalIgnoreCase))
                await Data(reader, writer);
            else
                await writer.WriteLineAsync(Reply(line));
            if (line.StartsWith("QUIT", StringComparison.OrdinalIgnoreCase))
                return;
        }
    }

    string Reply(string line) => line.Split(' ')[0].ToUpperInvariant() switch
    {
        "EHLO" => "250-stub\r\n250 AUTH PLAIN",
        "AUTH" => line.EndsWith(Convert.ToBase64String(Encoding.UTF8.GetBytes(_credentials ?? "")), StringComparison.Ordinal) ? "235 ok" : "535 no",
        "RCPT" => _refusal ?? "250 ok",
        "QUIT" => "221 bye",
        _ => "250 ok",
    };

    async Task Data(StreamReader reader, StreamWriter writer)
    {
        await writer.WriteLineAsync("354 go");
        var mail = new StringBuilder();
        while (await reader.ReadLineAsync() is { } line && line != ".")
            mail.AppendLine(line);
        Mails.Enqueue(mail.ToString());
        await writer.WriteLineAsync("250 taken");
    }

    public void Dispose() => _listener.Stop();
}
