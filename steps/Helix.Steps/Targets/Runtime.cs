using Helix.Runbooks.Steps;

namespace Helix.Steps.Targets;

public enum RuntimeStatus { Running, Stopped, Missing }

/// <summary>What a runtime says of a service. <see cref="ExitCode"/> is that of the last stop: 0 and 143 are clean, 137 is a kill (NEO-07, NEO-13).</summary>
public sealed record RuntimeState(RuntimeStatus Status, int? ExitCode = null, string? Health = null, string? Detail = null);

/// <summary>The owner and mode that a copied file gets; null keeps what the replaced file had.</summary>
public sealed record FileOwner(string? Owner, Mode? Mode);

/// <summary>Knows how to stop, start, exec in, copy from and to, and run a one-off process beside a service.</summary>
public abstract class Runtime
{
    /// <summary>Where the service runs, for locks and identity: "compose:helix/redis", "process:host:/var/lib/redis".</summary>
    public abstract string Address { get; }

    /// <summary>Executables needed on this machine.</summary>
    public abstract IReadOnlyList<string> Tools { get; }

    /// <summary>The shell command that starts the service again, for residue.</summary>
    public abstract string StartCommand { get; }

    /// <summary>The shell command that sets the number of instances, for residue.</summary>
    public virtual Task<string> ScaleCommand(PlanContext context, int replicas) => Task.FromResult(StartCommand);

    /// <summary>Where it is as the runtime itself tells, in the form of an identity's place; null when it cannot be asked now.</summary>
    public virtual Task<string?> Place(PlanContext context) => Task.FromResult<string?>(Address);

    public abstract Task<RuntimeState> State(PlanContext context);

    /// <summary>Stops gracefully; kills after the grace period and says so in the state. Stopping what is stopped is done.</summary>
    public abstract Task<RuntimeState> Stop(StepContext context, TimeSpan grace);

    /// <summary>Starts; does not wait until it is ready. Starting what runs is done.</summary>
    public abstract Task Start(StepContext context);

    /// <summary>Sets the number of instances wanted.</summary>
    public abstract Task Scale(StepContext context, int replicas);

    /// <summary>Number of instances that run; null when the runtime cannot tell.</summary>
    public virtual Task<int?> Instances(PlanContext context) => Task.FromResult<int?>(null);

    /// <summary>Number of instances that somebody asked for, also while fewer run; where a runtime keeps no such number, those that run.</summary>
    public virtual Task<int?> Wanted(PlanContext context) => Instances(context);

    /// <summary>The last lines that the service logged, as a sentence for an error; empty when there are none.</summary>
    public virtual Task<string> LastLines(PlanContext context) => Task.FromResult("");

    /// <summary>Runs a command inside the running service, never with a terminal; bytes stay bytes.</summary>
    public abstract Tool Exec(PlanContext context, params IReadOnlyList<string> command);

    /// <summary>Runs a command in a new process with the image and the volumes of the service, while that is stopped.</summary>
    public abstract Tool OneOff(PlanContext context, params IReadOnlyList<string> command);

    /// <summary>Streams a file of the service to here; follows links; works while the service is stopped.</summary>
    /// <returns>The number of bytes.</returns>
    public abstract Task<long> CopyOut(StepContext context, string path, Stream to);

    /// <summary>Puts a file into the service under a temporary name, then renames it; owner and mode as asked; works while the service is stopped.</summary>
    public abstract Task CopyIn(StepContext context, Stream from, string path, FileOwner owner);

    /// <summary>Removes a file or folder of the service; missing is done.</summary>
    public abstract Task Remove(StepContext context, string path);
}
