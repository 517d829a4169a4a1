using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>One attempt of one step: when, options, gate, intent, effect, result. Everything it learns goes into the record before it returns.</summary>
sealed class StepExecution(Drive drive)
{
    public async Task Run(string path, StepItem item, CancellationToken stop)
    {
        var type = drive.Catalog.Steps[item.Uses];
        if (!Prepare(path, item, type, out var with, out var options))
            return;
        var effects = drive.Effects.Of(item, type, options);
        if (await new DestructionGate(drive).Refusal(path, item, with, effects, stop) is { } refused)
        {
            drive.Record.Append(refused);
            return;
        }
        if (TakeLater(effects) is { Count: > 0 } held)
        {
            drive.Record.Append(new StepFailed(path, 0, FailureClass.Conflict, $"{item.Uses} was not started: {string.Join(" ", held.Select(h => h.Words))}", held[0].Hint, null));
            return;
        }
        stop.ThrowIfCancellationRequested();
        var attempt = drive.Record.Read(s => (s.Step(path)?.Attempts.Count ?? 0) + 1);
        drive.Record.Append(new StepStarted(path, attempt, item.Uses, with, effects));
        Failpoint.Hit("intent:" + path);
        var result = await Attempt(path, item, type, options, attempt, effects, stop);
        Failpoint.Hit("effect:" + path);
        drive.Logs.Flush();
        drive.Record.Append(result);
    }

    /// <summary>Locks of targets that the plan could not name: an earlier step or an answer did.</summary>
    /// <returns>What is in the way.</returns>
    IReadOnlyList<HeldLock> TakeLater(IReadOnlyList<TargetEffect> effects)
    {
        var missing = Planner.Locks(effects, drive.Plan.Environment).Where(l => !drive.Plan.Locks.Any(p => p.Identity == l.Identity && (!p.Shared || l.Shared))).ToList();
        return missing.Count == 0 ? [] : drive.Record.Store.TakeLocks(drive.Record.Lease.Run, missing);
    }

    /// <summary>The options of the first attempt hold for its retries and for a resume; a person's changes come on top.</summary>
    bool Prepare(string path, StepItem item, StepType type, out JsonObject with, out object options)
    {
        (with, options) = ([], with = []);
        try
        {
            var (earlier, changed) = drive.Record.Read(s => (s.Step(path)?.With, s.Step(path)?.ChangedWith));
            if (path.StartsWith("undo/", StringComparison.Ordinal))
                earlier ??= item.With;
            with = StepState.Changed(earlier ?? drive.Record.Read(s => drive.Scope.Resolve(s, path, item)), changed);
            foreach (var (name, value) in with)
                EventMask.RefusePlain(drive.Masker, $"The option '{name}' of {item.Uses}", value);
            options = StepJson.Bind(with, type.OptionsType);
            return true;
        }
        catch (RunbookException e)
        {
            drive.Record.Append(new StepFailed(path, 0, FailureClass.InvalidData, drive.Masker.Mask(e.Message), e.Hint, null));
            return false;
        }
    }

    async Task<RunEvent> Attempt(string path, StepItem item, StepType type, object options, int attempt, IReadOnlyList<TargetEffect> effects, CancellationToken stop)
    {
        using var limits = new AttemptLimits(drive.Time, item.Timeout, drive.Record.Read(s => s.Step(path)!.TryingSince!.Value), stop);
        var context = drive.ContextFor(path, attempt, limits.Alive, limits.Token);
        try
        {
            var outputs = await drive.World.Run(item, type, options, context);
            return new StepSucceeded(path, outputs) { Files = await drive.World.Files(outputs, stop), Warning = Warning(outputs) };
        }
        catch (Exception e) when (stop.IsCancellationRequested && e is OperationCanceledException or StepFailedException { Failure: FailureClass.Cancelled })
        {
            return new StepInterrupted(path, "it was stopped before its end");
        }
        catch (Exception e) when (limits.Passed is { } limit && e is not (LeaseLostException or StoreLostException))
        {
            return await AfterTimeout(path, item, type, options, attempt, effects, limit, stop);
        }
        catch (StepFailedException e)
        {
            return Failed(path, item, type, attempt, effects, e.Failure, e.Message, e.Hint);
        }
        catch (RunbookException e)
        {
            return Failed(path, item, type, attempt, effects, FailureClass.InvalidData, e.Message, e.Hint);
        }
        catch (OperationCanceledException e)
        {
            return Failed(path, item, type, attempt, effects, FailureClass.Transient, $"{item.Uses} gave up waiting for an answer: {e.Message}", null);
        }
        catch (Exception e) when (e is not (LeaseLostException or StoreLostException))
        {
            drive.Logs.Write(path, attempt, "engine", drive.Masker.Mask(e.ToString()));
            return Failed(path, item, type, attempt, effects, FailureClass.Bug, $"{item.Uses} has a fault of its own: {e.Message}", "The log of the step holds the details; please report them.");
        }
    }

    /// <summary>What the step itself remarks, and that later steps do not get what it put out.</summary>
    string? Warning(JsonObject outputs)
    {
        var said = outputs["warning"]?.ToString();
        var hidden = outputs.Where(o => EventMask.Hides(drive.Masker, o.Value)).Select(o => $"'{o.Key}'").ToList();
        return hidden.Count == 0 ? said : $"{said} A secret stands in {string.Join(", ", hidden)}: the record, and steps that use it, have {Masker.Replacement} in its place.".TrimStart();
    }

    /// <summary>A time limit leaves it open whether the effect happened: the step looks at the world (WFE-08).</summary>
    async Task<RunEvent> AfterTimeout(string path, StepItem item, StepType type, object options, int attempt, IReadOnlyList<TargetEffect> effects, string limit, CancellationToken stop)
    {
        if (effects.All(e => e.Effect == Effect.Reads))
            return Failed(path, item, type, attempt, effects, FailureClass.TimedOut, limit, null, mayRepeat: true);
        var probe = await StepProbe.Ask(drive, path, type, options, attempt, stop);
        if (probe.Verdict == ProbeVerdict.Done)
        {
            var outputs = StepJson.ToJson(probe.Outputs ?? NoOutputs.Value);
            return new StepSucceeded(path, outputs) { Source = "probe", Warning = $"{limit} {probe.Why}", Files = await drive.World.Files(outputs, stop) };
        }
        var known = probe.Verdict == ProbeVerdict.NotDone;
        return Failed(path, item, type, attempt, effects, FailureClass.TimedOut, $"{limit} {(known ? "Its effect did not happen" : "Whether its effect happened is not known")}: {probe.Why}.",
            known ? null : "Look at the target yourself before you choose retry or done.", mayRepeat: known);
    }

    StepFailed Failed(string path, StepItem item, StepType type, int attempt, IReadOnlyList<TargetEffect> effects, FailureClass failure, string message, string? hint, bool? mayRepeat = null)
    {
        var retry = item.Retry ?? new Retry();
        var reads = effects.All(e => e.Effect == Effect.Reads);
        var repeatable = mayRepeat ?? ((failure == FailureClass.Transient || retry.OnAny) && (type.About.Repeatable || reads));
        var tries = drive.Record.Read(s => s.Step(path)!.FailedTries) + 1;
        DateTimeOffset? again = repeatable && tries < retry.Attempts ? drive.Time.GetUtcNow() + RetryDelay.Of(retry, tries, drive.Around.Facts.Id + path) : null;
        if (item.Timeout.Total is { } total && again > drive.Record.Read(s => s.Step(path)!.TryingSince) + total)
            again = null;
        return new StepFailed(path, attempt, failure, drive.Masker.Mask(message), hint is null ? null : drive.Masker.Mask(hint), again);
    }
}

/// <summary>Pauses between attempts.</summary>
static class RetryDelay
{
    /// <param name="tries">Failed attempts so far, from 1.</param>
    /// <param name="seed">Spreads the jitter of different steps; the same step waits the same.</param>
    public static TimeSpan Of(Retry retry, int tries, string seed)
    {
        var factor = retry.Backoff == Backoff.Exponential ? Math.Pow(2, Math.Min(tries - 1, 30)) : 1;
        var delay = Math.Min(retry.Delay.TotalMilliseconds * factor, retry.MaxDelay.TotalMilliseconds);
        var hash = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{seed}#{tries}"));
        return TimeSpan.FromMilliseconds(delay * (1 - (retry.Jitter * hash[0] / 255)));
    }
}
