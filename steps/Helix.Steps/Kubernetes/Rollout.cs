using Helix.Runbooks.Steps;

namespace Helix.Steps.Kubernetes;

/// <summary>Waits for workloads by looking, not by a watch that may hang, and knows why pods are not ready when time is up (K8S-05).</summary>
sealed class Rollout(Kubectl kubectl, StepContext context)
{
    static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <exception cref="StepFailedException">The limit passed, or waiting is in vain; the message holds the last state of each pod.</exception>
    public async Task<Workload> Finished(WorkloadName name, TimeSpan limit)
    {
        var (start, last) = (context.Time.GetTimestamp(), "");
        while (true)
        {
            var workload = new Workload(await kubectl.Get(name.ToString()));
            if (workload.Unfinished is not { } open)
                return workload;
            if (workload.Hopeless is { } why)
                throw StepFailedException.Conflict($"The rollout of {name} cannot end: {why}.{await Pods(workload)}");
            if (context.Time.GetElapsedTime(start) >= limit)
                throw new StepFailedException(FailureClass.TimedOut, $"The rollout of {name} was not finished within {new Duration(limit)}: {open}.{await Pods(workload)}", "See the reasons of the pods, or give it more time with 'limit'.");
            if (open != last)
                context.Log($"{name}: {last = open}");
            await context.Delay(Look);
        }
    }

    /// <summary>All pods that are there are of this number, and no more. With none the pods themselves are looked for: the number of a deployment leaves out those that end, and they write on meanwhile.</summary>
    public async Task Scaled(WorkloadName name, int replicas, TimeSpan limit)
    {
        var start = context.Time.GetTimestamp();
        while (new Workload(await kubectl.Get(name.ToString())) is var now && (!now.Observed || now.There > replicas || (replicas == 0 && await Writing(now) > 0)))
        {
            if (context.Time.GetElapsedTime(start) >= limit)
                throw new StepFailedException(FailureClass.TimedOut, $"{name} has {Math.Max(now.There, await Writing(now))} pods and not {replicas} after {new Duration(limit)}.{await Pods(now)}");
            await context.Delay(Look);
        }
    }

    /// <summary>Pods of it that may still do something.</summary>
    async Task<int> Writing(Workload workload) => (await kubectl.Pods(workload.Selector)).Count(p => !p.IsOver);

    async Task<string> Pods(Workload workload)
    {
        var pods = await kubectl.Pods(workload.Selector);
        return pods.Count == 0 ? " It has no pods." : $" Its pods: {string.Join(", ", pods.Where(p => !p.Ready).DefaultIfEmpty(pods[0]).Take(5).Select(p => p.State))}.";
    }
}
