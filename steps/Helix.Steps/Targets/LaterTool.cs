using Helix.Runbooks.Steps;

namespace Helix.Steps.Targets;

/// <summary>Completes a call when it runs, for what can only be asked then: which container, which form of Compose.</summary>
sealed class LaterTool(Tool bare, Func<InnerCall, Task<Tool>> complete, Func<Task>? afterCancel = null) : ToolLauncher
{
    /// <summary>A call of the command that <paramref name="complete"/> turns into one that can be started.</summary>
    public static Tool For(PlanContext context, IReadOnlyList<string> command, Func<InnerCall, Task<Tool>> complete, Func<Task>? afterCancel = null)
    {
        var tool = context.Tool(command[0], command.Skip(1));
        return tool with { Launcher = new LaterTool(tool, complete, afterCancel) };
    }

    public override async Task<ToolResult> Run(Tool tool)
    {
        var variables = tool.Environment.Where(v => v.Value is not null && bare.Environment.GetValueOrDefault(v.Key) != v.Value).Select(v => v.Key);
        var completed = await complete(new(tool with { Launcher = bare.Launcher }, [.. variables]));
        try
        {
            return await completed.Run();
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Cancelled && afterCancel is not null)
        {
            await afterCancel();
            throw;
        }
    }
}

/// <summary>A call as the step wrote it, for a command inside; <see cref="Variables"/> names those that the step gave it, beside those of the engine's own.</summary>
sealed record InnerCall(Tool Tool, IReadOnlyList<string> Variables)
{
    /// <summary>Options of docker and Compose that hand them on; the values stay out of the argument list.</summary>
    public IEnumerable<string> Options => [.. Variables.SelectMany(v => new[] { "-e", v }), .. Tool.WorkingDirectory is { } folder ? ["-w", folder] : Array.Empty<string>()];
}
