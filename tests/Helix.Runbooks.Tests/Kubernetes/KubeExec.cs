using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Helix.Runbooks.Tests.Kubernetes;

/// <summary>The exec subresource over the protocol v5.channel.k8s.io: the first byte of a message is its channel, 255 closes one.</summary>
sealed class KubeExec(WebSocket socket, KubeCluster cluster, CancellationToken gone)
{
    const byte Stdin = 0, Stdout = 1, Stderr = 2, Error = 3, Close = 255;

    readonly SemaphoreSlim _sending = new(1, 1);
    bool _cut;

    public static async Task Serve(HttpContext http, KubeCluster cluster)
    {
        var name = http.Request.Path.Value!.Split('/')[^2];
        using var socket = await http.WebSockets.AcceptWebSocketAsync("v5.channel.k8s.io");
        await new KubeExec(socket, cluster, http.RequestAborted).Run(cluster["Pod", name], [.. http.Request.Query["command"].Select(c => c!)], http.Request.Query["stdin"] == "true");
    }

    async Task Run(JsonObject? pod, IReadOnlyList<string> command, bool hasInput)
    {
        if (pod is null)
        {
            await Send(Error, Status("NotFound", "pods not found", null));
            return;
        }
        using var process = cluster.Pods.Start(pod, command);
        if (!hasInput)
            process.StandardInput.Close();
        var feeding = Feed(process);
        await Task.WhenAll(Drain(process.StandardOutput.BaseStream, Stdout), Drain(process.StandardError.BaseStream, Stderr));
        await process.WaitForExitAsync(CancellationToken.None);
        var code = _cut ? 0 : process.ExitCode;
        await Send(Error, code == 0 ? Encoding.UTF8.GetBytes("""{"metadata":{},"status":"Success"}""")
            : code == 127 ? Status("InternalError", $"command terminated with exit code 127: \"{command[0]}\": executable file not found in $PATH", code)
            : Status("NonZeroExitCode", $"command terminated with non-zero exit code: exit status {code}", code));
        if (socket.State == WebSocketState.Open)
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", CancellationToken.None);
        await feeding;
    }

    static byte[] Status(string reason, string message, int? code) => Encoding.UTF8.GetBytes(new JsonObject
    {
        ["metadata"] = new JsonObject(),
        ["status"] = "Failure",
        ["message"] = message,
        ["reason"] = code is null ? reason : "NonZeroExitCode",
        ["details"] = code is null ? null : new JsonObject { ["causes"] = new JsonArray(new JsonObject { ["reason"] = "ExitCode", ["message"] = $"{code}" }) },
    }.ToJsonString());

    async Task Feed(Process process)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            var channel = -1;
            while (await socket.ReceiveAsync(buffer.AsMemory(), gone) is var got && got.MessageType != WebSocketMessageType.Close)
            {
                var bytes = buffer.AsMemory(0, got.Count);
                if (channel < 0 && bytes.Length > 0)
                    (channel, bytes) = (bytes.Span[0], bytes[1..]);
                if (channel == Close)
                    process.StandardInput.Close();
                else if (channel == Stdin && bytes.Length > 0)
                {
                    await process.StandardInput.BaseStream.WriteAsync(bytes, gone);
                    await process.StandardInput.BaseStream.FlushAsync(gone);
                }
                channel = got.EndOfMessage ? -1 : channel;
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException or InvalidOperationException)
        {
            // The client is gone, or the process wants no more.
        }
        if (!process.HasExited && socket.State is not (WebSocketState.Open or WebSocketState.CloseSent))
            process.Kill(entireProcessTree: true);
    }

    async Task Drain(Stream from, byte channel)
    {
        var buffer = new byte[32 * 1024];
        long sent = 0;
        while (await from.ReadAsync(buffer, CancellationToken.None) is > 0 and var count)
        {
            if (channel == Stdout && cluster.CutExecAfter is { } most && sent + count > most)
            {
                count = (int)Math.Max(0, most - sent);
                _cut = true;
            }
            if (count > 0)
                await Send(channel, buffer.AsMemory(0, count));
            sent += count;
        }
    }

    async Task Send(byte channel, ReadOnlyMemory<byte> bytes)
    {
        var message = new byte[bytes.Length + 1];
        message[0] = channel;
        bytes.CopyTo(message.AsMemory(1));
        await _sending.WaitAsync(CancellationToken.None);
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
                await socket.SendAsync(message, WebSocketMessageType.Binary, true, CancellationToken.None);
        }
        catch (WebSocketException)
        {
            // The client is gone.
        }
        finally
        {
            _sending.Release();
        }
    }
}
