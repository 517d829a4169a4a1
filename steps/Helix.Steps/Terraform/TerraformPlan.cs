using System.ComponentModel;
using System.Security.Cryptography;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Terraform;

public sealed record TerraformPlanOptions
{
    [Description("The configuration.")]
    [TargetName("terraform")]
    [Fixed]
    [Example("infra")]
    public required string Target { get; init; }

    [Description("Where the plan is saved. It may hold secrets, and only its owner can read it.")]
    [Example("\"{{ run.work }}/infra.tfplan\"")]
    public required string To { get; init; }

    [Description("Plan the removal of all resources, or of those in 'only'.")]
    public bool Destroy { get; init; }

    [Description("Only these resources or modules, and what they depend on. One that does not exist is an error.")]
    [Example("[module.helix_infrastructure]")]
    public IReadOnlyList<string> Only { get; init; } = [];

    [Description("Resources and modules that the plan may touch; a plan that touches others is refused. Default: those in 'only', else all.")]
    [Example("[module.helix_infrastructure, module.network]")]
    public IReadOnlyList<string> Allow { get; init; } = [];

    [Description("Make the folder ready first: modules, providers, backend.")]
    public bool Init { get; init; } = true;

    [Description("How long a state that somebody else has locked is waited for.")]
    public Duration LockWait { get; init; } = new(TimeSpan.FromMinutes(2));
}

public sealed record TerraformPlanOutputs
{
    [Description("The saved plan.")]
    public required string File { get; init; }
    public required long Size { get; init; }

    [Description("What identifies the plan: an approval shows it, and apply takes nothing else.")]
    public required string Sha256 { get; init; }

    [Description("There is something to do.")]
    public required bool Changes { get; init; }

    [Description("Something is removed or replaced.")]
    public required bool Destroys { get; init; }

    [Description("In words, as \"2 to add, 0 to change, 1 to destroy\".")]
    public required string Summary { get; init; }

    [Description("Every action, as \"create terraform_data.a\".")]
    public required IReadOnlyList<string> Actions { get; init; }
    public required IReadOnlyList<string> Addresses { get; init; }

    [Description("What was changed behind terraform's back, as \"update aws_instance.web\".")]
    public required IReadOnlyList<string> Drift { get; init; }
}

[Step("terraform.plan", "Makes and saves a plan, and says what it really holds; changes nothing.")]
public sealed class TerraformPlan : Step<TerraformPlanOptions, TerraformPlanOutputs>
{
    public override IEnumerable<TargetEffect> Effects(TerraformPlanOptions options) => [TargetEffect.Reads(options.Target)];

    public override Task<StepPlan> Plan(TerraformPlanOptions options, PlanContext context)
    {
        var target = context.Target<TerraformTarget>(options.Target);
        var what = options.Only.Count > 0 ? string.Join(", ", options.Only) : "all resources";
        return Task.FromResult(new StepPlan { Lines = [$"Plan {(options.Destroy ? "the removal of " : "")}{what} of {target.Directory}, workspace {target.Workspace}."] });
    }

    public override async Task<TerraformPlanOutputs> Run(TerraformPlanOptions options, StepContext context)
    {
        var call = new TerraformCall(context.Target<TerraformTarget>(options.Target), context);
        if (options.Init)
            await call.Init(context);
        var file = context.FullPath(options.To);
        var temporary = $"{file}.helix-{Guid.NewGuid():N}";
        try
        {
            MakePrivate(temporary);
            var events = await call.Watched(context, options.LockWait, new(TimeSpan.FromMinutes(1)), ["plan", "-detailed-exitcode"],
                [$"-out={temporary}", .. options.Destroy ? ["-destroy"] : Array.Empty<string>(), .. options.Only.Select(t => $"-target={t}"), .. call.Variables]);
            var contents = new PlanContents(await call.Show(temporary));
            contents.MustKnow(options.Only);
            if (options.Allow.Count + options.Only.Count > 0)
                contents.MustStayWithin(options.Allow.Count > 0 ? options.Allow : options.Only);
            await (await call.Tool("show", "-no-color", temporary) with { LogOutput = true }).Run();
            var outputs = await Outputs(temporary, file, events.ExitCode == 2, contents, context);
            Files.Durable.Rename(temporary, file);
            return outputs;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Terraform keeps the mode of a file that is there.</summary>
    static void MakePrivate(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
    }

    static async Task<TerraformPlanOutputs> Outputs(string path, string name, bool changes, PlanContents contents, StepContext context)
    {
        await using var file = System.IO.File.OpenRead(path);
        var replaced = contents.Count("replace");
        return new()
        {
            File = name,
            Size = file.Length,
            Sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, context.Cancelled)),
            Changes = changes,
            Destroys = contents.Destroys,
            Summary = $"{contents.Count("create") + replaced} to add, {contents.Count("update")} to change, {contents.Count("delete") + replaced} to destroy",
            Actions = [.. contents.Changes.Select(c => c.ToString())],
            Addresses = [.. contents.Changes.Select(c => c.Address)],
            Drift = [.. contents.Drift.Select(c => c.ToString())],
        };
    }
}
