using System.Diagnostics;

namespace Helix.Server.Tests.Nodes;

/// <summary>What looks like several machines: each has its own network, host name and disk for runs; a bridge leads to the database.</summary>
sealed class Machines : IDisposable
{
    static int _count;

    readonly string _id = $"hx{Environment.ProcessId % 10_000}{(char)('a' + Interlocked.Increment(ref _count) % 26)}";
    readonly int _net = 100 + Environment.ProcessId % 100;
    readonly List<string> _names = [];

    public Machines()
    {
        Assert.SkipUnless(Environment.UserName == "root" && File.Exists("/usr/sbin/ip") && File.Exists("/usr/sbin/iptables"), "NO SEVERAL MACHINES: it takes root, iproute2 and iptables. Nothing about cut links was tested.");
        Call("ip", "link", "add", _id, "type", "bridge");
        Call("ip", "addr", "add", $"{Address}/24", "dev", _id);
        Call("ip", "link", "set", _id, "up");
    }

    /// <summary>Where the database listens.</summary>
    public string Address => AddressOf(1);

    /// <summary>How a node is started on its machine, and where it listens.</summary>
    public Func<Cluster, NodeProcess> Node(string name)
    {
        _names.Add(name);
        var (space, number) = (Space(name), _names.Count + 1);
        Call("ip", "netns", "add", space);
        Call("ip", "link", "add", $"{_id}{number}", "type", "veth", "peer", "name", "eth0", "netns", space);
        Call("ip", "link", "set", $"{_id}{number}", "master", _id, "up");
        Call("ip", "-n", space, "addr", "add", $"{AddressOf(number)}/24", "dev", "eth0");
        Call("ip", "-n", space, "link", "set", "eth0", "up");
        Call("ip", "-n", space, "link", "set", "lo", "up");
        return cluster => new NodeProcess(cluster, name, $"{AddressOf(number)}:8470", ["ip", "netns", "exec", space, "unshare", "--uts", "--mount", "sh", "-c", "hostname \"$0\"; mount -t tmpfs none \"$HELIX_DATA\"; exec \"$@\"", name], "--insecure");
    }

    /// <summary>What the node says to the database is lost.</summary>
    public void Mute(string name, int port) => Drop(name, "OUTPUT", "-d", Address, "-p", "tcp", "--dport", $"{port}");

    /// <summary>What the database answers to the node is lost.</summary>
    public void Deafen(string name, int port) => Drop(name, "INPUT", "-s", Address, "-p", "tcp", "--sport", $"{port}");

    public void Heal(string name) => Call("ip", "netns", "exec", Space(name), "iptables", "-F");

    void Drop(string name, string chain, params string[] what) => Call("ip", ["netns", "exec", Space(name), "iptables", "-A", chain, .. what, "-j", "DROP"]);

    string Space(string name) => $"{_id}-{name}";
    string AddressOf(int number) => $"10.77.{_net}.{number}";

    static void Call(string file, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{file} {string.Join(' ', arguments)}: {error}");
    }

    public void Dispose()
    {
        foreach (var name in _names)
            Call("ip", "netns", "del", Space(name));
        Call("ip", "link", "del", _id);
    }
}
