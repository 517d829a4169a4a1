using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Commands;

public sealed record ShellRunOptions : CommandOptions
{
    [Description("The script. Values reach it as variables, through 'env' and 'secrets', never by splicing.")]
    [NoTemplate("Pass values as variables, `env: { NAME: … }`, and write \"$NAME\" in the text.")]
    [Example("tar -C \"$FOLDER\" -c . | zstd >\"$FILE\"", Shown = true)]
    public string? Script { get; init; }

    [Description("A file with the script, instead of 'script'. It is pinned with the runbook.")]
    [NoTemplate]
    [PinnedFile]
    public string? File { get; init; }

    [Description("Arguments of the script: $1, $2 and so on.")]
    public IReadOnlyList<string> Args { get; init; } = [];

    [Description("The targets that it acts on; the stated effect is on them. None: only files of this machine.")]
    [TargetName]
    [Fixed]
    public IReadOnlyList<string> Targets { get; init; } = [];

    [Description("A path that exists once the script has done its work: after a crash it tells whether to run it again.")]
    public string? Creates { get; init; }
}

[Step("shell.run", "Runs a script with bash -euo pipefail.", StatesEffect = true)]
public sealed class ShellRun : Step<ShellRunOptions, DeclaredOutputs>, IJudgesUse
{
    public IEnumerable<UseFault> Judge(StepUse use) => use.OneOf("shell.run", "script", "file");

    public override IEnumerable<TargetEffect> Effects(ShellRunOptions options) => CommandCall.Effects(options.Targets);

    public override Task<StepPlan> Plan(ShellRunOptions options, PlanContext context)
    {
        CheckOne(options);
        return Task.FromResult(new StepPlan { Lines = [options.File is { } file ? $"Run the script {file}." : $"Run a script of {(options.Script!.Trim().Split('\n').Length is > 1 and var lines ? $"{lines} lines" : "one line")}: {First(options.Script!)}"] });
    }

    public override Task<DeclaredOutputs> Run(ShellRunOptions options, StepContext context)
    {
        CheckOne(options);
        if (options.File is { } name && !System.IO.File.Exists(context.PinnedPath(name)))
            throw StepFailedException.Missing($"There is no script {context.FullPath(name)}.");
        string[] script = options.File is { } file ? [context.PinnedPath(file)] : ["-c", options.Script!, "script"];
        return CommandCall.Run(context.Tool("bash", ["-euo", "pipefail", .. script, .. options.Args]) with
        {
            WorkingDirectory = options.WorkingDirectory is { } folder ? context.FullPath(folder) : context.Run.BaseDirectory,
        }, options, context);
    }

    public override Task<ProbeResult<DeclaredOutputs>> Probe(ShellRunOptions options, StepContext context) =>
        Task.FromResult(CommandCall.Probe(options.Creates, options, context));

    static string First(string script) => script.Trim().Split('\n')[0].Trim() is var line && line.Length > 90 ? line[..90] + "…" : line;

    static void CheckOne(ShellRunOptions options)
    {
        if (options.Script is null == options.File is null)
            throw new RunbookException("A shell step has either 'script' or 'file'.");
    }
}
