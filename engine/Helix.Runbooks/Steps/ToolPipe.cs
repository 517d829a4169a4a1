using System.IO.Pipelines;
using Helix.Runbooks.Steps.Processes;

namespace Helix.Runbooks.Steps;

/// <summary>Tools whose outputs feed the next one, as <c>a | b | c</c>, with every exit code checked (PRC-06).</summary>
public sealed record ToolPipe(IReadOnlyList<Tool> Tools)
{
    public ToolPipe PipeTo(Tool next) => new([.. Tools, next]);

    /// <summary>Runs all of them at the same time. When one fails, those after it never see the end of its data as if it were complete.</summary>
    /// <returns>The results in order.</returns>
    /// <exception cref="StepFailedException">The first tool, from the left, that failed by itself; the message names each that did.</exception>
    public async Task<IReadOnlyList<ToolResult>> Run()
    {
        var between = Tools.Skip(1).Select(_ => new Pipe()).ToArray();
        var runs = Tools.Select((tool, i) => RunPart(tool, i > 0 ? between[i - 1] : null, i < between.Length ? between[i] : null)).ToArray();
        try
        {
            return await Task.WhenAll(runs);
        }
        catch (StepFailedException)
        {
            throw Combined([.. runs.Where(r => r.IsFaulted).Select(r => r.Exception!.InnerException!)]);
        }
    }

    static async Task<ToolResult> RunPart(Tool tool, Pipe? from, Pipe? to)
    {
        var next = to is null ? null : new PipeOutputStream(to.Writer);
        try
        {
            var result = await (tool with { Input = from?.Reader.AsStream(leaveOpen: true) ?? tool.Input, Output = next ?? tool.Output }).Run();
            await Complete(from, to, null);
            return result;
        }
        catch (Exception e)
        {
            await Complete(from, to, new NeighbourFailedException(e));
            if (next is { ReaderIsGone: true } && e is StepFailedException { Failure: not FailureClass.Cancelled } failed)
                throw new StepFailedException(failed.Failure, failed.Message, failed.Hint, new NeighbourFailedException(e));
            throw;
        }
    }

    static async Task Complete(Pipe? from, Pipe? to, Exception? why)
    {
        if (from is not null)
            await from.Reader.CompleteAsync();
        if (to is not null)
            await to.Writer.CompleteAsync(why);
    }

    /// <summary>A tool that ended because the one before it failed, or the one after it was gone, is no cause.</summary>
    static Exception Combined(IReadOnlyList<Exception> failures)
    {
        var causes = failures.Where(f => f.InnerException is not NeighbourFailedException).ToList();
        if (causes.Count < 2 || causes.TrueForAll(c => c is StepFailedException { Failure: FailureClass.Cancelled }))
            return causes.FirstOrDefault() ?? failures[0];
        if (causes.Find(c => c is not StepFailedException) is { } bug)
            return bug;
        var first = (StepFailedException)causes[0];
        return new StepFailedException(first.Failure, string.Join(" And: ", causes.Select(c => c.Message)), first.Hint, first);
    }

    sealed class NeighbourFailedException(Exception cause) : IOException("the tool before it in the pipe failed", cause);
}
