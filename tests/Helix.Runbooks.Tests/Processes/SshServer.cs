using System.Diagnostics;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Processes;

/// <summary>A real sshd on a free port of 127.0.0.1, with keys of its own; takes the variables HELIX_*.</summary>
sealed class SshServer : IDisposable
{
    const string Executable = "/usr/sbin/sshd";

    readonly Process _process;

    public string Folder { get; } = Directory.CreateTempSubdirectory("helix-ssh-").FullName;
    public string Config => In("client.conf");
    public string Address => $"ssh://{Environment.UserName}@elsewhere";
    public string Log => File.ReadAllText(In("sshd.log"));

    string In(string name) => Path.Combine(Folder, name);

    SshServer(string settings)
    {
        var port = Ports.Free();
        foreach (var key in new[] { "host", "user" })
            Call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", In(key));
        File.Copy(In("user.pub"), In("authorized"));
        File.WriteAllText(In("known"), $"[127.0.0.1]:{port} {File.ReadAllText(In("host.pub"))}");
        File.WriteAllText(In("sshd.conf"), $"""
            Port {port}
            ListenAddress 127.0.0.1
            HostKey {In("host")}
            PidFile {In("sshd.pid")}
            AuthorizedKeysFile {In("authorized")}
            StrictModes no
            UsePAM no
            PasswordAuthentication no
            AcceptEnv HELIX_*
            {settings}
            """);
        File.WriteAllText(Config, $"""
            Host elsewhere
              HostName 127.0.0.1
              Port {port}
              IdentityFile {In("user")}
              IdentitiesOnly yes
              UserKnownHostsFile {In("known")}
            """);
        Directory.CreateDirectory("/run/sshd");
        _process = Process.Start(new ProcessStartInfo(Executable, ["-D", "-f", In("sshd.conf"), "-E", In("sshd.log")]))!;
    }

    /// <param name="settings">More lines of its configuration.</param>
    public static async Task<SshServer> Start(string settings = "")
    {
        if (!File.Exists(Executable) || Environment.UserName != "root")
            Assert.Skip($"NO SSH SERVER: it takes root and {Executable} (apt-get install openssh-server). Nothing about other machines was tested.");
        var server = new SshServer(settings);
        await Eventually.True(() => File.Exists(server.In("sshd.log")) && server.Log.Contains("listening", StringComparison.Ordinal), "sshd listens");
        return server;
    }

    static void Call(string file, params string[] arguments)
    {
        using var process = Process.Start(file, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        TempFolder.Delete(Folder);
    }
}
