using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;
using Mode = Helix.Runbooks.Plans.Mode;

namespace Helix.Runbooks.Runs;

public sealed partial class Engine
{
    /// <summary>What has changed on disk since the run pinned its files, as a unified diff; empty when nothing has.</summary>
    public string Changes(string run)
    {
        var state = State(run);
        var text = new System.Text.StringBuilder();
        foreach (var (path, sha) in state.Pinned.OrderBy(p => p.Key, StringComparer.Ordinal))
            if (File.Exists(path) && Store.Kept(sha) is { } kept && !File.ReadAllBytes(path).AsSpan().SequenceEqual(kept))
                text.Append(Diff(path, kept));
        return text.ToString();
    }

    /// <summary>Goes on with the files of today: an explicit act, with the difference in the record (WFE-10).</summary>
    /// <exception cref="RunbookException">The new text lacks a step that was done, or nothing has changed.</exception>
    /// <exception cref="HeldException">A driver is alive: it would go on with the old text, under the name of the new one.</exception>
    public async Task TakeChanges(string run, Person by)
    {
        var before = State(run);
        if (before.Ended is { } ended)
            throw new RunbookException($"Run {run} has ended ({ended.Outcome.ToString().ToLowerInvariant()}).");
        RefuseMoved(before);
        if (Changes(run) is not { Length: > 0 } diff)
            throw new RunbookException($"Nothing has changed in the files of run {run}.");
        var plan = PlanOfToday(before);
        var lease = await TakeLease(run, new DriveSettings());
        try
        {
            RefuseOtherSteps(State(run), plan);
            foreach (var file in plan.Pinned.Values)
                Store.Keep(file.Bytes);
            var git = World.Git(before.Started.RunbookPath);
            AsPerson(run, by, new RunbookReplaced(plan.Hash, plan.Pinned.ToDictionary(p => p.Key, p => p.Value.Sha256), diff) { GitCommit = git.Commit, GitAuthor = git.Author });
        }
        finally
        {
            LetGo(lease, before.SuspendedBecause ?? RunState.DriverIsGone);
        }
    }

    /// <summary>The files as they are now, read and planned.</summary>
    Plan PlanOfToday(RunState state)
    {
        var environment = Valid(new EnvironmentReader(Catalog).ReadFile(state.Started.EnvironmentPath));
        var runbook = Valid(new RunbookReader(Catalog).ReadFile(state.Started.RunbookPath, environment));
        var plan = new Planner(Catalog).Plan(runbook, environment, state.Inputs, Enum.Parse<Mode>(state.Started.Mode, ignoreCase: true));
        RefuseProblems(plan);
        return plan;
    }

    static void RefuseOtherSteps(RunState state, Plan plan)
    {
        foreach (var step in state.Steps.Values.Where(s => s.Started && !s.Path.StartsWith("undo/", StringComparison.Ordinal)))
            if (plan.Find(step.Path)?.Item.Uses is var uses && uses != step.Uses)
                throw new RunbookException($"Step '{step.Path}' ({step.Uses}) was started, and the changed runbook {(uses is null ? "has no such step" : $"has {uses} there")}.", "Keep the steps that were done as they are; change what comes after.");
    }

    /// <summary>The run stands as it stood before the lease was taken: whoever goes on with it takes it anew.</summary>
    void LetGo(Lease lease, string because)
    {
        if (State(lease.Run).Ended is null)
            Store.Append(lease, new RunSuspended(because));
        Release(lease);
    }

    static string Diff(string path, byte[] before)
    {
        var old = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(old, before);
            var tool = new Tool(new ProcessLauncher(new ProcessSettings { Masker = new Masker() }), "diff", CancellationToken.None)
            {
                Arguments = ["-u", "--label", path + " (pinned)", "--label", path, old, path],
            };
            return tool.Accept(0, 1).Quietly().Run().GetAwaiter().GetResult().Stdout;
        }
        finally
        {
            File.Delete(old);
        }
    }
}
