using System.Globalization;
using System.Net;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Redis;

/// <summary>Where a server or a sentinel listens.</summary>
public sealed record RedisEndpoint(string Host, int Port)
{
    /// <summary>What <c>endpoint:</c> must look like.</summary>
    public const string Pattern = @"^([^:\s\[\]]+|\[[0-9a-fA-F:]+\]):\d{1,5}$";

    /// <exception cref="RunbookException">The text is no host and port.</exception>
    public static RedisEndpoint Parse(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon > 0 && int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65_536
            ? new(text[..colon].Trim('[', ']'), port)
            : throw new RunbookException($"'{text}' is no endpoint.", "Write host:port, as redis-0:6379.");
    }

    /// <summary>The same for every way to write this machine.</summary>
    public RedisEndpoint Normalised => IsLoopback ? new("localhost", Port) : new(Host.ToLowerInvariant(), Port);

    /// <summary>The host by a name that other machines know it by.</summary>
    public string MachineName => IsLoopback ? Environment.MachineName : Host.ToLowerInvariant();

    bool IsLoopback =>
        Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(Host, out var ip) && IPAddress.IsLoopback(ip));

    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
