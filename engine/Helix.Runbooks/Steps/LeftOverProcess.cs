using Helix.Runbooks.Steps.Processes;

namespace Helix.Runbooks.Steps;

/// <summary>A child of an engine that is gone. Its pipes and its exit code are lost; whether it still lives is known.</summary>
public sealed class LeftOverProcess
{
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    LeftOverProcess(ProcessIdentity identity, string pidFile)
    {
        Identity = identity;
        PidFile = pidFile;
    }

    public ProcessIdentity Identity { get; }
    public string PidFile { get; }

    /// <summary>That very process lives: same boot, same start.</summary>
    public bool IsAlive => Identity.IsAlive;

    /// <summary>It or something that it started lives.</summary>
    public bool GroupIsAlive => Members().Any();

    /// <summary>All children that a step started and did not see the end of. The engine removes the files of those whose end it saw.</summary>
    public static IReadOnlyList<LeftOverProcess> Of(string pidFolder, string step) =>
        Directory.Exists(pidFolder)
            ? [.. Directory.EnumerateFiles(pidFolder, ProcessLauncher.PidFileName(step) + ".*").Order(StringComparer.Ordinal).Select(Read).OfType<LeftOverProcess>()]
            : [];

    /// <summary>Null when the file is not there or not complete: nothing was started.</summary>
    public static LeftOverProcess? Read(string pidFile)
    {
        try
        {
            return ProcessIdentity.Parse(File.ReadAllText(pidFile)) is { } identity ? new(identity, pidFile) : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Until the process has ended by itself.</summary>
    public async Task WaitForEnd(TimeProvider time, CancellationToken cancelled)
    {
        while (IsAlive)
            await Task.Delay(Look, time, cancelled);
    }

    /// <summary>Ends the process and what it started: SIGINT, half of the grace later SIGTERM, at its end SIGKILL.</summary>
    /// <returns>False when something lives on after all.</returns>
    public async Task<bool> KillGroup(TimeSpan grace, TimeProvider time, CancellationToken cancelled)
    {
        foreach (var (signal, wait) in new[] { (Signal.Interrupt, grace / 2), (Signal.Terminate, grace / 2), (Signal.Kill, TimeSpan.FromSeconds(5)) })
        {
            if (!GroupIsAlive)
                return true;
            Signals.SendToGroup(Identity.Pid, signal);
            var asked = time.GetTimestamp();
            while (GroupIsAlive && time.GetElapsedTime(asked) < wait)
                await Task.Delay(Look, time, cancelled);
        }
        return !GroupIsAlive;
    }

    IEnumerable<ProcessStat> Members()
    {
        if (Identity.Boot != ProcessIdentity.BootId)
            return [];
        // The kernel gives no pid away while a group has it: another process with this pid means that the group is gone.
        if (ProcessStat.Read(Identity.Pid) is { } leader && leader.StartTicks != Identity.StartTicks)
            return [];
        return ProcessStat.All().Where(p => p.Group == Identity.Pid && !p.Ended && p.StartTicks >= Identity.StartTicks);
    }
}
