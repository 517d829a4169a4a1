using Helix.Runbooks.Steps;
using Helix.Steps.Compose;
using Helix.Steps.Docker;
using Helix.Steps.Kubernetes;

namespace Helix.Steps.Targets;

/// <summary>Makes the runtime that a target's options describe.</summary>
public static class Runtimes
{
    const string Forms = "Write one of {compose: TARGET, service: NAME}, {docker: CONTAINER}, {kubernetes: TARGET, workload: KIND/NAME} and {process: …}.";

    /// <exception cref="RunbookException">The target has no runtime, or an incomplete one.</exception>
    public static Runtime Of(RunningTarget target) => (target.Runtime ?? new()) switch
    {
        { Compose: { } stack, Docker: null, Kubernetes: null, Process: null } options =>
            new ComposeRuntime(target.Siblings.Get<ComposeTarget>(stack), options.Service ?? throw Incomplete(target, "'service' is missing beside 'compose'"), options.Index),
        { Docker: { } container, Compose: null, Kubernetes: null, Process: null } options => new DockerRuntime(new DockerEngine(options.Host), container),
        { Process: { Start.Count: 0 }, Compose: null, Docker: null, Kubernetes: null } => throw Incomplete(target, "'start' is empty"),
        { Process: { } process, Compose: null, Docker: null, Kubernetes: null, Host: { } host } options => new SshRuntime(process, SshHost.Of(target.Name, host, options.SshConfig), target.Name),
        { Process: { } process, Compose: null, Docker: null, Kubernetes: null } => new ProcessRuntime(process, target.Name),
        { Compose: null, Docker: null, Kubernetes: null, Process: null } =>
            throw new RunbookException($"Target '{target.Name}' has no runtime: it cannot be stopped, started or entered.", Forms),
        { Kubernetes: { } cluster, Compose: null, Docker: null, Process: null } options => new KubernetesRuntime(target.Siblings.Get<KubernetesTarget>(cluster),
            WorkloadName.Parse(options.Workload ?? throw Incomplete(target, "'workload' is missing beside 'kubernetes'")), options.Container, options.Index),
        _ => throw Incomplete(target, "it names more than one"),
    };

    static RunbookException Incomplete(RunningTarget target, string why) => new($"The runtime of target '{target.Name}' is not complete: {why}.", Forms);
}
