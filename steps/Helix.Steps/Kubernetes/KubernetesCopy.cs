using System.ComponentModel;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Kubernetes;

public sealed record KubernetesCopyOptions
{
    [Description("The cluster and namespace.")]
    [TargetName("kubernetes")]
    [Fixed]
    [Example("cluster")]
    public required string Target { get; init; }

    [Description("The workload whose pod holds the file, as kind/name. While it is stopped a pod is made on its claims.")]
    [Fixed]
    [Example("statefulset/neo4j")]
    public required string Workload { get; init; }

    [Description("The container; default: the first.")]
    [Fixed]
    public string? Container { get; init; }

    [Description("The path of the file or folder as the pod sees it.")]
    [Example("/data/dump.rdb")]
    public required string Inside { get; init; }

    [Description("Copy out of the pod to this file or folder of this machine.")]
    [Example("\"{{ run.work }}/dump.rdb\"")]
    public string? To { get; init; }

    [Description("Copy this file or folder of this machine into the pod.")]
    public string? From { get; init; }

    [Description("A file copied in: its owner, as user, user:group or numbers, of the pod's own users; default: as before, else that of its folder.")]
    public string? Owner { get; init; }

    [Description("A file copied in: its mode; default: as before, else 0640.")]
    public Mode? Mode { get; init; }
}

public sealed record KubernetesCopyOutputs
{
    [Description("The file or folder of this machine.")]
    public required string File { get; init; }
    public required long Size { get; init; }

    [Description("Of the file; of a folder that of its archive.")]
    public required string Sha256 { get; init; }
    public required int Entries { get; init; }

    [Description("Links of a folder that were left out because they lead out of it.")]
    public required IReadOnlyList<string> Skipped { get; init; }
}

[Step("kubernetes.copy", "Copies a file or a folder out of a pod or into it; size, SHA-256 and number of entries are compared.")]
public sealed class KubernetesCopy : Step<KubernetesCopyOptions, KubernetesCopyOutputs>
{
    const int Tries = 3;
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public override IEnumerable<TargetEffect> Effects(KubernetesCopyOptions options) =>
        [options.From is null ? TargetEffect.Reads(options.Target) : TargetEffect.Changes(options.Target)];

    public override Task<StepPlan> Plan(KubernetesCopyOptions options, PlanContext context)
    {
        var there = $"{options.Target}:{WorkloadName.Parse(options.Workload)}:{options.Inside}";
        return Task.FromResult(new StepPlan { Lines = [IsOut(options) ? $"Copy {there} to {options.To}." : $"Copy {options.From} to {there}."] });
    }

    public override async Task<KubernetesCopyOutputs> Run(KubernetesCopyOptions options, StepContext context)
    {
        var runtime = new KubernetesRuntime(context.Target<KubernetesTarget>(options.Target), WorkloadName.Parse(options.Workload), options.Container, index: null);
        var isOut = IsOut(options);
        if (!isOut && !File.Exists(context.FullPath(options.From!)) && !Directory.Exists(context.FullPath(options.From!)))
            throw StepFailedException.Missing($"There is no {context.FullPath(options.From!)} to copy.");
        return await runtime.Inside(context, async shell =>
        {
            for (var attempt = 1; ; attempt++)
                try
                {
                    return await (isOut ? Out(shell, options, context) : In(shell, options, context));
                }
                catch (StepFailedException e) when (e.Failure == FailureClass.Transient && attempt < Tries)
                {
                    context.Log($"copied again: {e.Message}");
                    await context.Delay(Pause);
                }
        });
    }

    static async Task<KubernetesCopyOutputs> Out(PodShell shell, KubernetesCopyOptions options, StepContext context)
    {
        var to = Files.LocalFile.For(options.To!, context);
        var kind = await shell.Call(context, "test", "-d", options.Inside).Accept(0, 1).Run();
        if (kind.ExitCode == 0)
            return await new PodFolder(shell, context).Out(options.Inside, to);
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        var temporary = $"{to}.helix-{Guid.NewGuid():N}";
        try
        {
            (long Size, string Sha256) got;
            await using (var file = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                got = await new PodFiles(shell, context).Out(options.Inside, file);
                file.Flush(flushToDisk: true);
            }
            Files.Durable.Rename(temporary, to);
            return new() { File = to, Size = got.Size, Sha256 = got.Sha256, Entries = 1, Skipped = [] };
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    static async Task<KubernetesCopyOutputs> In(PodShell shell, KubernetesCopyOptions options, StepContext context)
    {
        var from = context.FullPath(options.From!);
        if (Directory.Exists(from))
            return await new PodFolder(shell, context).In(from, options.Inside);
        await using var file = File.OpenRead(from);
        var (size, sha256) = await new PodFiles(shell, context).In(file, options.Inside, new(options.Owner, options.Mode));
        return new() { File = from, Size = size, Sha256 = sha256, Entries = 1, Skipped = [] };
    }

    public override Task<ProbeResult<KubernetesCopyOutputs>> Probe(KubernetesCopyOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<KubernetesCopyOutputs>.NotDone("the file appears in one rename, and copying again gives the same"));

    static bool IsOut(KubernetesCopyOptions options) => (options.To, options.From) switch
    {
        (not null, null) => true,
        (null, not null) => false,
        _ => throw new RunbookException($"The copy of {options.Workload}:{options.Inside} has no direction.", "Give either 'to' (out of the pod) or 'from' (into it)."),
    };
}
