using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Helix.Runbooks.Tests.Backups;

/// <param name="Number">Of all requests, from 1.</param>
sealed record ProxiedRequest(int Number, string Method, string Path)
{
    public bool IsPart => Method == "PUT" && Path.Contains("partNumber=", StringComparison.Ordinal);
    public int Part => IsPart ? int.Parse(Path.Split("partNumber=")[1].Split('&')[0], System.Globalization.CultureInfo.InvariantCulture) : 0;
    public bool IsComplete => Method == "POST" && Path.Contains("uploadId=", StringComparison.Ordinal);
}

enum FaultKind
{
    /// <summary>Answers this status and code itself.</summary>
    Answer,
    /// <summary>The connection ends after so many bytes of the request.</summary>
    CutRequest,
    /// <summary>The server gets everything; the connection ends after so many bytes of the answer.</summary>
    CutAnswer,
    /// <summary>Nothing moves any more.</summary>
    Stall,
    /// <summary>One bit of the request's body is another.</summary>
    FlipRequest,
    /// <summary>One bit of the answer's body is another.</summary>
    FlipAnswer,
    /// <summary>Says that the part is stored, and drops it.</summary>
    Swallow,
}

sealed record Fault(FaultKind Kind, int At = 0, int Status = 503, string Code = "SlowDown");

/// <summary>Stands between a client and an HTTP server and does what the test says to single requests.</summary>
sealed class FaultProxy : IDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly int _port;
    readonly CancellationTokenSource _stop = new();
    int _count;

    public FaultProxy(string upstream)
    {
        _port = new Uri(upstream).Port;
        _listener.Start();
        _ = Serve();
    }

    public string Endpoint => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
    public ConcurrentQueue<ProxiedRequest> Requests { get; } = new();

    /// <summary>Null: the request passes.</summary>
    public Func<ProxiedRequest, Fault?> Rule { get; set; } = _ => null;

    async Task Serve()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _ = Handle(await _listener.AcceptTcpClientAsync(_stop.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    async Task Handle(TcpClient client)
    {
        using var _ = client;
        try
        {
            await Handle(client.GetStream());
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // One side is gone: that is what this is about.
        }
    }

    async Task Handle(NetworkStream client)
    {
        var head = await Head(client);
        if (head.Length == 0)
            return;
        var lines = head.Split("\r\n");
        var words = lines[0].Split(' ');
        var request = new ProxiedRequest(Interlocked.Increment(ref _count), words[0], words[1]);
        Requests.Enqueue(request);
        var fault = Rule(request);
        if (lines.Any(l => l.StartsWith("Expect:", StringComparison.OrdinalIgnoreCase)))
            await client.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), _stop.Token);
        if (fault?.Kind == FaultKind.Stall)
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, _stop.Token);
        var length = int.Parse(lines.FirstOrDefault(l => l.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))?.Split(':')[1] ?? "0", System.Globalization.CultureInfo.InvariantCulture);
        var body = new byte[fault?.Kind == FaultKind.CutRequest ? Math.Min(length, fault.At) : length];
        await client.ReadExactlyAsync(body, _stop.Token);
        await Answer(client, lines, body, fault);
    }

    async Task Answer(NetworkStream client, string[] lines, byte[] body, Fault? fault)
    {
        switch (fault?.Kind)
        {
            case FaultKind.CutRequest:
                return;
            case FaultKind.Answer:
                await Say(client, fault.Status, $"<?xml version=\"1.0\"?><Error><Code>{fault.Code}</Code></Error>", fault.Code == "RequestTimeTooSkewed" ? $"Date: {TimeProvider.System.GetUtcNow().AddMinutes(20):R}\r\n" : "");
                return;
            case FaultKind.Swallow:
                await Say(client, 200, "", $"ETag: \"{Convert.ToHexStringLower(System.Security.Cryptography.MD5.HashData(body))}\"\r\n");
                return;
            case FaultKind.FlipRequest:
                body[fault.At % body.Length] ^= 1;
                break;
        }
        await Forward(client, lines, body, fault);
    }

    async Task Forward(NetworkStream client, string[] lines, byte[] body, Fault? fault)
    {
        using var upstream = new TcpClient();
        await upstream.ConnectAsync(IPAddress.Loopback, _port, _stop.Token);
        var server = upstream.GetStream();
        var kept = lines.Where(l => l.Length > 0 && !l.StartsWith("Connection:", StringComparison.OrdinalIgnoreCase) && !l.StartsWith("Expect:", StringComparison.OrdinalIgnoreCase));
        await server.WriteAsync(Encoding.Latin1.GetBytes(string.Join("\r\n", kept) + "\r\nConnection: close\r\n\r\n"), _stop.Token);
        await server.WriteAsync(body, _stop.Token);
        var answer = await Head(server);
        await client.WriteAsync(Encoding.Latin1.GetBytes(answer + "\r\n"), _stop.Token);
        var buffer = new byte[1 << 16];
        long at = 0;
        for (int read; (read = await server.ReadAsync(buffer, _stop.Token)) > 0; at += read)
        {
            if (fault?.Kind == FaultKind.FlipAnswer && fault.At >= at && fault.At < at + read)
                buffer[fault.At - at] ^= 1;
            var most = fault?.Kind == FaultKind.CutAnswer ? (int)Math.Clamp(fault.At - at, 0, read) : read;
            await client.WriteAsync(buffer.AsMemory(0, most), _stop.Token);
            if (most < read)
                return;
        }
    }

    async Task Say(NetworkStream client, int status, string body, string headers) =>
        await client.WriteAsync(Encoding.UTF8.GetBytes($"HTTP/1.1 {status} Proxy\r\n{headers}Content-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"), _stop.Token);

    /// <summary>Up to and without the empty line.</summary>
    async Task<string> Head(NetworkStream stream)
    {
        var head = new List<byte>(2048);
        var one = new byte[1];
        while (!(head.Count >= 4 && head[^1] == '\n' && head[^3] == '\n'))
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0)
                return "";
            head.Add(one[0]);
        }
        return Encoding.Latin1.GetString([.. head])[..^2];
    }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Stop();
        _stop.Dispose();
    }
}
