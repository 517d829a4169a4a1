using System.Globalization;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Terraform;

/// <summary>Calls of terraform for one target: its folder, workspace, variables and credentials. Nothing is asked, nothing is coloured, nothing comes from the caller's TF_ variables.</summary>
sealed class TerraformCall(TerraformTarget target, PlanContext context)
{
    public async Task<Tool> Tool(params IEnumerable<string> arguments)
    {
        var tool = context.Tool("terraform", arguments).Quietly() with { WorkingDirectory = context.FullPath(target.Directory) };
        foreach (var name in new[] { "CHECKPOINT_DISABLE", "TF_IN_AUTOMATION" })
            tool = tool.With(name, "1");
        // These would change what is done, or write what is secret into a log.
        foreach (var name in new[] { "TF_CLI_ARGS", "TF_CLI_ARGS_plan", "TF_CLI_ARGS_apply", "TF_CLI_ARGS_init", "TF_CLI_ARGS_show", "TF_LOG", "TF_LOG_PATH", "TF_DATA_DIR" })
            tool = tool.With(name, null);
        tool = tool.With("TF_INPUT", "0").With("TF_WORKSPACE", target.Workspace);
        foreach (var (name, secret) in target.SecretVariables)
            tool = tool.With($"TF_VAR_{name}", await context.Reveal(secret));
        foreach (var (name, secret) in target.Secrets)
            tool = tool.With(name, await context.Reveal(secret));
        return tool;
    }

    /// <summary>Arguments that give the variables which are no secrets; a saved plan holds them already.</summary>
    public IEnumerable<string> Variables =>
        [.. target.VariableFiles.Select(f => $"-var-file={context.FullPath(f)}"), .. target.Variables.SelectMany(v => new[] { "-var", $"{v.Key}={v.Value}" })];

    public async Task Init(StepContext step)
    {
        string[] backend = target.BackendFile is { } file ? [$"-backend-config={context.FullPath(file)}"] : [];
        step.Log($"terraform init in {context.FullPath(target.Directory)}");
        await (await Tool(["init", "-input=false", "-no-color", .. backend]) with { LogOutput = true }).Run();
    }

    /// <summary>What terraform says of a plan, or of the state when there is no file. It holds secrets in the clear.</summary>
    public async Task<JsonObject> Show(string? plan = null)
    {
        using var json = new MemoryStream();
        string[] file = plan is null ? [] : [plan];
        await (await Tool(["show", "-json", .. file]) with { Output = json }).Run();
        return JsonNode.Parse(json.ToArray()) as JsonObject ?? throw StepFailedException.InvalidData($"terraform shows nothing of {plan ?? "the state"}.");
    }

    /// <summary>Runs a command that needs the state's lock and says what it does as JSON lines. Who holds the lock is said before it is waited for (TF-01).</summary>
    public async Task<TerraformEvents> Watched(StepContext step, Duration lockWait, Duration stopWait, IReadOnlyList<string> command, IReadOnlyList<string> more)
    {
        var first = await Once(step, new(TimeSpan.Zero), stopWait, command, more);
        if (first.Lock is not { } holder || lockWait.Value <= TimeSpan.Zero)
            return first.Checked(context.FullPath(target.Directory));
        step.Log($"The state is locked by {holder}; waiting for it at most {lockWait}.");
        return (await Once(step, lockWait, stopWait, command, more)).Checked(context.FullPath(target.Directory));
    }

    async Task<TerraformEvents> Once(StepContext step, Duration lockWait, Duration stopWait, IReadOnlyList<string> command, IReadOnlyList<string> more)
    {
        var events = new TerraformEvents(step);
        var seconds = ((long)Math.Ceiling(lockWait.Value.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        var tool = (await Tool([.. command, "-json", "-input=false", $"-lock-timeout={seconds}s", .. more])).Accept(0, 1, 2) with
        {
            Output = events,
            // A second signal makes terraform drop what it does: the launcher sends it after half of this (TF-07).
            Grace = stopWait.Value * 2,
        };
        try
        {
            events.ExitCode = (await tool.Run()).ExitCode;
            return events;
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Cancelled)
        {
            step.Log($"terraform was interrupted while it was busy with {events.Stage}.");
            throw;
        }
    }
}
