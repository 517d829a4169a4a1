using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Targets;

/// <summary>How a service is run. Exactly one of compose, docker, kubernetes and process is given.</summary>
public sealed record RuntimeOptions
{
    [Description("The target of kind compose whose project holds the service.")]
    [TargetName("compose")]
    public string? Compose { get; init; }

    [Description("The service of the Compose project.")]
    public string? Service { get; init; }

    [Description("Which container of a scaled Compose service or pod of a stateful set, from 1; needed to enter one or copy to it.")]
    [Range(1, 1000)]
    public int? Index { get; init; }

    [Description("The name of a container of the Docker engine.")]
    public string? Docker { get; init; }

    [Description("Another machine: for docker ssh://user@host or tcp://host:port, for process ssh://user@host.")]
    [Example("ssh://ops@db1")]
    public string? Host { get; init; }

    [Description("A configuration of ssh to use instead of the account's own, for keys, ports and known hosts.")]
    [FilePath]
    public string? SshConfig { get; init; }

    [Description("The target of kind kubernetes whose cluster holds the workload.")]
    [TargetName("kubernetes")]
    public string? Kubernetes { get; init; }

    [Description("The workload, as statefulset/neo4j or deployment/mcp.")]
    public string? Workload { get; init; }

    [Description("The container of the workload's pods; default: the first.")]
    public string? Container { get; init; }

    [Description("A process of this machine, or of `host`.")]
    public ProcessOptions? Process { get; init; }
}

/// <summary>A service that is a plain process of this machine. It outlives the run.</summary>
public sealed record ProcessOptions
{
    /// <summary>For a shell of people: starts it as the runtime does. Its own shell writes the pid: with job control setsid forks, and <c>$!</c> would be another.</summary>
    [JsonIgnore]
    internal string ShellStart
    {
        get
        {
            string[] command = [.. Environment.Count > 0 ? ["env", .. Environment.Select(e => $"{e.Key}={e.Value}")] : Array.Empty<string>(), "/bin/sh", "-c", "echo $$ >\"$0\"; exec \"$@\"", PidFile, .. Start];
            return $"cd {Shell.Quoted(Directory)} && {{ setsid {string.Join(' ', command.Select(Shell.Quoted))} </dev/null >>{Shell.Quoted(Log ?? "/dev/null")} 2>&1 & }}";
        }
    }

    [Description("Executable and arguments that start it in the foreground.")]
    [Example("[redis-server, /etc/redis/redis.conf]")]
    public required IReadOnlyList<string> Start { get; init; }

    [Description("File that holds its process id; written by the engine when the service itself does not.")]
    [Example("/run/redis/redis.pid")]
    [FilePath]
    public required string PidFile { get; init; }

    [Description("The folder it starts in, and that identifies it.")]
    [Example("/var/lib/redis")]
    [FilePath]
    public required string Directory { get; init; }

    [Description("Where its output is appended.")]
    [FilePath]
    public string? Log { get; init; }

    [Description("Added to the environment.")]
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
}

/// <summary>A target that can be stopped and started.</summary>
public abstract record RunningTarget : Target
{
    [Description("How the service is run; without it, it cannot be stopped, started or entered.")]
    public virtual RuntimeOptions? Runtime { get; init; }

    /// <summary>Whether the check asks the service itself; else all that is known of it is that it is alive.</summary>
    [JsonIgnore]
    internal virtual bool Answers => true;

    /// <exception cref="RunbookException">The target has no runtime, or an incomplete one.</exception>
    [JsonIgnore]
    public Runtime Service => Runtimes.Of(this);
}
