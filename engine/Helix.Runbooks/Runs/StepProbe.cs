using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>Finds out what a step in doubt did: waits for a child that outlived the engine, then asks the step.</summary>
static class StepProbe
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task Run(Drive drive, string path, StepItem item, CancellationToken stop)
    {
        await WaitForChildren(drive, path, stop);
        var (with, effects, tries) = drive.Record.Read(s => (s.Step(path)!.With!, s.Step(path)!.Effects, s.Step(path)!.Attempts.ToList()));
        if (effects.All(e => e.Effect == Effect.Reads))
        {
            drive.Record.Append(new StepProbed(path, ProbeVerdict.NotDone, "the step only reads, so it runs again"));
            return;
        }
        if (tries[^1].Driver is { } by && by.Host != DriverIdentity.Current.Host && effects.Any(e => e.Effect == Effect.Destroys))
        {
            drive.Record.Append(new StepProbed(path, ProbeVerdict.Unknown, $"it was begun on {by.Host}, and whether its processes still run there cannot be seen from {DriverIdentity.Current.Host}"));
            return;
        }
        var type = drive.Catalog.Steps[item.Uses];
        var probe = await Ask(drive, path, type, StepJson.Bind(with, type.OptionsType), tries.Count, stop);
        var probed = new StepProbed(path, probe.Verdict, drive.Masker.Mask(probe.Why));
        if (probe.Verdict == ProbeVerdict.Done)
        {
            var outputs = StepJson.ToJson(probe.Outputs ?? NoOutputs.Value);
            drive.Record.Append(probed, new StepSucceeded(path, outputs) { Source = "probe", Files = await drive.World.Files(outputs, stop) });
        }
        else
            drive.Record.Append(probed);
    }

    /// <summary>Never throws for what the world says: what cannot be seen is unknown.</summary>
    public static async Task<ProbeResult> Ask(Drive drive, string path, StepType type, object options, int attempt, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(Patience, drive.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            var context = drive.ContextFor(path, attempt, () => { }, both.Token);
            return await drive.World.Probe(type, options, context);
        }
        catch (Exception e) when (e is not (LeaseLostException or StoreLostException) && !(e is OperationCanceledException && stop.IsCancellationRequested))
        {
            return new ProbeResult(ProbeVerdict.Unknown, null, $"it could not be seen: {e.Message}");
        }
    }

    /// <summary>A child that outlived its engine has lost its pipes and its exit code: its end is waited for, its success never assumed (PRC-04).</summary>
    static async Task WaitForChildren(Drive drive, string path, CancellationToken stop)
    {
        foreach (var child in LeftOverProcess.Of(drive.Folders.Pids, path))
        {
            if (child.IsAlive)
                drive.Logs.Write(path, 0, "engine", $"Process {child.Identity.Pid} of the interrupted attempt still runs; waiting for its end.");
            await child.WaitForEnd(drive.Time, stop);
            File.Delete(child.PidFile);
        }
    }
}
