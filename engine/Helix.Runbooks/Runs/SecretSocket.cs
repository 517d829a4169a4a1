using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>What is sent: a line of JSON. <see cref="Account"/> counts only with its signature.</summary>
sealed record SecretMessage(string Name, string Value, string? Account = null, string? Signature = null)
{
    public override string ToString() => $"{Name}: ***";
}

sealed record SecretReply(bool Accepted, string Message);

/// <summary>A socket in the run's folder that only the account of the driver, and root, can reach. The kernel says who is at its other end.</summary>
sealed class SecretSocket : IAsyncDisposable
{
    const int Longest = 1 << 16;

    /// <summary>A driver takes a secret in a moment, or says why not.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly Socket _socket;
    readonly string _path;
    readonly Func<Person, SecretMessage, string?> _take;
    readonly CancellationTokenSource _stop = new();
    readonly Task _serving;

    SecretSocket(Socket socket, string path, Func<Person, SecretMessage, string?> take)
    {
        (_socket, _path, _take) = (socket, path, take);
        _serving = Task.Run(Serve);
    }

    /// <summary>Each driver has its own: one that lost the run, and ends later, takes nothing away from the next.</summary>
    public static string PathIn(string folder, long epoch) => System.IO.Path.Combine(folder, $"secrets.{epoch}.sock");

    public static SecretSocket Listen(string path, Func<Person, SecretMessage, string?> take)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        // What drivers before have left.
        foreach (var left in Directory.EnumerateFiles(System.IO.Path.GetDirectoryName(path)!, "secrets.*.sock"))
            File.Delete(left);
        socket.Bind(Address(path));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        socket.Listen(8);
        return new SecretSocket(socket, path, take);
    }

    /// <exception cref="RunbookException">No driver listens, or it does not answer.</exception>
    public static async Task<SecretReply> Send(string path, SecretMessage message, TimeProvider time)
    {
        using var limit = new CancellationTokenSource(Patience, time);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(Address(path), limit.Token);
            await using var stream = new NetworkStream(socket);
            await stream.WriteAsync(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(message, StepJson.Options) + "\n"), limit.Token);
            socket.Shutdown(SocketShutdown.Send);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            return JsonSerializer.Deserialize<SecretReply>(await reader.ReadToEndAsync(limit.Token), StepJson.Options)!;
        }
        catch (OperationCanceledException)
        {
            throw new RunbookException("The driver of this run does not answer.", "A process that was stopped (Ctrl-Z) takes what it was sent when it goes on: `helix status` shows whether it still waits for it.");
        }
        catch (Exception e) when (e is SocketException or IOException or JsonException)
        {
            throw new RunbookException("No driver takes secrets for this run here.", "It asks only while it lives, on its own machine, and its own account: `helix status` shows what it waits for.");
        }
    }

    static UnixDomainSocketEndPoint Address(string path)
    {
        try
        {
            return new UnixDomainSocketEndPoint(path);
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new RunbookException($"The path {path} is too long for a socket.", "Keep the store in a folder with a shorter name: --store.");
        }
    }

    async Task Serve()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _ = Answer(await _socket.AcceptAsync(_stop.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    async Task Answer(Socket client)
    {
        using (client)
        {
            try
            {
                await using var stream = new NetworkStream(client);
                var message = JsonSerializer.Deserialize<SecretMessage>(await Line(stream), StepJson.Options)!;
                var why = _take(PeerAccount.Of(client), message);
                await stream.WriteAsync(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new SecretReply(why is null, why ?? "taken"), StepJson.Options)), _stop.Token);
            }
            catch (Exception e) when (e is IOException or SocketException or JsonException or OperationCanceledException or LeaseLostException or StoreLostException)
            {
                // Whoever sent nothing of use gets no answer, and says so itself.
            }
        }
    }

    async Task<byte[]> Line(NetworkStream stream)
    {
        using var kept = new MemoryStream();
        var buffer = new byte[4096];
        for (int read; (read = await stream.ReadAsync(buffer, _stop.Token)) > 0 && kept.Length <= Longest;)
            kept.Write(buffer, 0, read);
        return kept.ToArray();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _socket.Dispose();
        File.Delete(_path);
        await _serving;
        _stop.Dispose();
    }
}
