using System.ComponentModel;
using System.Globalization;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Kubernetes;

public sealed record KubernetesDeleteOptions
{
    [Description("The cluster and namespace.")]
    [TargetName("kubernetes")]
    [Fixed]
    [Example("cluster")]
    public required string Target { get; init; }

    [Description("Objects to delete, as kind/name.")]
    [Fixed]
    [Example("[deployment/dashboard-blue, service/dashboard-blue]")]
    public IReadOnlyList<string> Objects { get; init; } = [];

    [Description("Files with manifests whose objects are deleted.")]
    [PinnedFile]
    [Fixed]
    [Example("[../k8s/dashboard-blue.yaml]")]
    public IReadOnlyList<string> Files { get; init; } = [];

    [Description("A file of this machine that gets the objects as they are before, so that they can be applied again.")]
    [Example("\"{{ run.safe }}/dashboard-blue.yaml\"")]
    public string? SafetyCopy { get; init; }

    [Description("Also objects that hold data: namespaces, claims and volumes. Without this they are refused.")]
    [Fixed]
    public bool WithData { get; init; }

    [Description("How long it may take until they are gone.")]
    public Duration Limit { get; init; } = new(TimeSpan.FromMinutes(5));
}

public sealed record KubernetesDeleteOutputs
{
    public required IReadOnlyList<string> Deleted { get; init; }

    [Description("The safety copy.")]
    public string? File { get; init; }
}

[Step("kubernetes.delete", "Deletes objects of a namespace and waits until they are gone.")]
public sealed class KubernetesDelete : Step<KubernetesDeleteOptions, KubernetesDeleteOutputs>
{
    const string CopyKey = "safety-copy";

    static readonly string[] HoldData = ["namespace", "persistentvolumeclaim", "persistentvolume"];

    public override IEnumerable<TargetEffect> Effects(KubernetesDeleteOptions options) =>
        [TargetEffect.Destroys(options.Target, $"{string.Join(", ", options.Objects.Concat(options.Files.Select(f => $"all of {f}")))}{(options.WithData ? " with the data in them" : "")}")];

    public override async Task<StepPlan> Plan(KubernetesDeleteOptions options, PlanContext context)
    {
        try
        {
            var there = await There(options, context);
            return new() { Lines = [$"Delete {(there.Count > 0 ? string.Join(", ", there) : "nothing: none of it is there")}."] };
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return new() { Lines = [$"Delete {string.Join(", ", options.Objects.Concat(options.Files))}."], Warnings = [e.Message] };
        }
    }

    public override async Task<KubernetesDeleteOutputs> Run(KubernetesDeleteOptions options, StepContext context)
    {
        var there = await There(options, context);
        if (there.Find(o => HoldData.Contains(o.Split('/')[0].Split('.')[0])) is { } data && !options.WithData)
            throw StepFailedException.Conflict($"{data} holds data and is not deleted.", "If that is meant, say withData: true, and have it approved.");
        var kubectl = new Kubectl(context.Target<KubernetesTarget>(options.Target), context);
        // An earlier attempt kept all of it; now only what it left is there.
        var copy = Kept(context) ?? (options.SafetyCopy is { } path && there.Count > 0 ? await Keep(kubectl, there, Files.LocalFile.FreeName(context.FullPath(path)), context) : null);
        var seconds = string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, (long)options.Limit.Value.TotalSeconds)}s");
        if (there.Count > 0)
            await kubectl.Run(kubectl.Call(["delete", .. there, "--ignore-not-found", "--wait=true", $"--timeout={seconds}"]), options.Limit.Value);
        var left = await There(options, context);
        if (left.Count > 0)
            throw StepFailedException.Conflict($"These are still there: {string.Join(", ", left)}.", "A finalizer may hold them, or something makes them again.");
        return new() { Deleted = there, File = copy };
    }

    public override async Task<ProbeResult<KubernetesDeleteOutputs>> Probe(KubernetesDeleteOptions options, StepContext context)
    {
        var left = await There(options, context);
        return left.Count > 0
            ? ProbeResult<KubernetesDeleteOutputs>.NotDone($"there are {string.Join(", ", left)}")
            : ProbeResult<KubernetesDeleteOutputs>.Done(new() { Deleted = [], File = Kept(context) }, "none of it is there");
    }

    static async Task<List<string>> There(KubernetesDeleteOptions options, PlanContext context)
    {
        if (options.Objects.Count + options.Files.Count == 0)
            throw new RunbookException("kubernetes.delete names nothing to delete.", "Give 'objects' or 'files'.");
        var kubectl = new Kubectl(context.Target<KubernetesTarget>(options.Target), context);
        var there = new List<string>();
        if (options.Objects.Count > 0)
            there.AddRange(Kubectl.Lines(await kubectl.Ask(["get", .. options.Objects, "--ignore-not-found", "-o", "name"])));
        if (options.Files.Count > 0)
            there.AddRange(Kubectl.Lines(await kubectl.Ask(["get", .. KubernetesApply.FilesOf(options.Files, context), "--ignore-not-found", "-o", "name"])));
        return [.. there.Distinct()];
    }

    static string? Kept(StepContext context) => context.Saved(CopyKey)?.GetValue<string>();

    /// <summary>Secrets may be among them: only the owner can read it.</summary>
    static async Task<string> Keep(Kubectl kubectl, List<string> objects, string path, StepContext context)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = $"{path}.helix-{Guid.NewGuid():N}";
        try
        {
            await using (var file = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
                await kubectl.Run(kubectl.Call(["get", .. objects, "-o", "yaml"]) with { Output = file }, kubectl.Target.RequestTimeout.Value);
            Files.Durable.Rename(temporary, path);
        }
        finally
        {
            System.IO.File.Delete(temporary);
        }
        await context.Save(CopyKey, path);
        context.Log($"{objects.Count} objects as they were are in {path}");
        return path;
    }
}
