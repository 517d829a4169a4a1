using System.ComponentModel;
using CliWrap;

namespace Helix.Runbooks.Steps.Processes;

/// <summary>One child from its start to its end.</summary>
sealed class Child(ProcessSettings settings, Tool tool) : IDisposable
{
    readonly ChildOutput _stdout = new(settings, ToolStream.Stdout, tool.LogOutput && tool.Output is null, tool.Output, tool.Cancelled);
    readonly ChildOutput _stderr = new(settings, ToolStream.Stderr, log: true, to: null, tool.Cancelled);
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource<int> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly CancellationTokenSource _broken = new();
    Exception? _fault;

    /// <summary>Something outside the tool went wrong before it was let go, or with its input or output, and it was ended for that.</summary>
    public Exception? Fault => _fault;

    /// <summary>It was asked to end before it did by itself.</summary>
    public bool Stopped { get; private set; }

    public async Task<ToolResult> Run(string executable, string? pidFile)
    {
        var running = Started(executable, pidFile);
        _started.SetResult(running.ProcessId);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(tool.Cancelled, settings.KillNow, _broken.Token);
        var stopping = StopWhenAsked(stop.Token);
        try
        {
            var exitCode = (await running.Task).ExitCode;
            return new(exitCode, _stdout.Text, settings.Masker.Mask(_stderr.Text)) { Cut = _stdout.Cut, ErrorsCut = _stderr.Cut };
        }
        finally
        {
            _ended.TrySetResult();
            await stopping;
        }
    }

    CommandTask<CommandResult> Started(string executable, string? pidFile)
    {
        try
        {
            return Command(executable, pidFile).ExecuteAsync();
        }
        catch (Win32Exception e)
        {
            throw NotStarted((e.InnerException as Win32Exception ?? e).NativeErrorCode, e);
        }
    }

    /// <summary>By the number that the kernel gives, see errno(3).</summary>
    StepFailedException NotStarted(int error, Exception inner)
    {
        var (failure, hint) = error switch
        {
            7 => (FailureClass.InvalidData, "One argument is larger than the kernel takes (128 KiB), or all of them together. Give large values through the environment's files or standard input."),
            11 or 12 or 23 or 24 => (FailureClass.Transient, "The machine has no room for another process now: `ulimit -a`, `free`, `ps`."),
            13 => (FailureClass.Auth, $"Whoever runs helix may not enter {tool.WorkingDirectory ?? Environment.CurrentDirectory}, or not execute {Wrapper.File}."),
            _ => (FailureClass.Missing, $"Is {Wrapper.File} there, and the folder {tool.WorkingDirectory ?? Environment.CurrentDirectory}?"),
        };
        return new(failure, $"{Path.GetFileName(tool.File)} was not started: {new Win32Exception(error).Message}.", hint, inner);
    }

    Command Command(string executable, string? pidFile) =>
        Cli.Wrap(Wrapper.File)
            .WithArguments(Wrapper.Arguments(executable, tool.Arguments, tool.Environment, waits: pidFile is not null))
            .WithEnvironmentVariables(Wrapper.EnvironmentOf(tool.Environment, waits: pidFile is not null))
            .WithWorkingDirectory(tool.WorkingDirectory ?? Environment.CurrentDirectory)
            .WithValidation(CommandResultValidation.None)
            .WithStandardInputPipe(PipeSource.Create((stdin, ended) => Feed(stdin, pidFile, ended)))
            .WithStandardOutputPipe(PipeTarget.Create((pipe, _) => Drain(pipe, _stdout)))
            .WithStandardErrorPipe(PipeTarget.Create((pipe, _) => Drain(pipe, _stderr)));

    /// <summary>CliWrap cancels <paramref name="ended"/> when the process has ended, which is before its pipes have.</summary>
    async Task Feed(Stream stdin, string? pidFile, CancellationToken ended)
    {
        ended.Register(() => _ended.TrySetResult());
        if (pidFile is not null && !await LetGo(stdin, pidFile, ended) || tool.Input is not { } input)
            return;
        var buffer = new byte[64 * 1024];
        try
        {
            while (await input.ReadAsync(buffer, ended).AsTask().WaitAsync(ended) is > 0 and var count)
                if (!await Write(stdin, buffer.AsMemory(0, count), ended))
                    return;
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            // The end of its input would look to the tool like the end of the data: it goes first.
            Break(e);
            await _ended.Task;
        }
    }

    /// <summary>Its identity first, for an engine that comes after this one; then the word to go.</summary>
    async Task<bool> LetGo(Stream stdin, string pidFile, CancellationToken ended)
    {
        try
        {
            if (ProcessIdentity.Of(await _started.Task) is not { } identity)
                return false;
            File.WriteAllText(pidFile, identity.ToText());
            // An engine that was stopped (SIGSTOP) since it asked may have lost the run to another.
            settings.BeforeEffect();
            return await Write(stdin, Wrapper.TheWord, ended);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return false;
        }
        catch (IOException e)
        {
            Break(new StepFailedException(FailureClass.Transient, $"{Path.GetFileName(tool.File)} was not started, because what it is known by could not be written to {pidFile}: {e.Message}", inner: e));
            return false;
        }
        catch (Exception e)
        {
            Break(e);
            return false;
        }
    }

    internal static async Task<bool> Write(Stream stdin, ReadOnlyMemory<byte> bytes, CancellationToken ended)
    {
        try
        {
            await stdin.WriteAsync(bytes, ended);
            await stdin.FlushAsync(ended);
            return true;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The tool wants no more, or has done its work and ended, whereupon CliWrap closes its input; whether that is right its exit code says.
            return false;
        }
    }

    async Task Drain(Stream pipe, ChildOutput output)
    {
        try
        {
            if (await output.TakeAll(pipe, _ended.Task))
                return;
            settings.Log(ToolStream.Engine, $"{Path.GetFileName(tool.File)} has ended; something that it started keeps its {output.Name} open and is not waited for.");
            if (output.IsData)
                Break(StepFailedException.Transient($"{Path.GetFileName(tool.File)} has ended, but something that it started still held its output: what came of it may be cut off, and is not taken for the whole.",
                    "A shell does not wait for `>(…)` and `… &`; write it as a pipe, or end with `wait`."));
        }
        catch (OutputClosedException)
        {
        }
        catch (Exception e)
        {
            Break(e);
        }
    }

    void Break(Exception e)
    {
        Interlocked.CompareExchange(ref _fault, e, null);
        _broken.Cancel();
    }

    /// <summary>SIGINT, half of the grace later SIGTERM, at its end SIGKILL, always to the whole group; a second request kills at once.</summary>
    async Task StopWhenAsked(CancellationToken asked)
    {
        await WaitForEnd(Timeout.InfiniteTimeSpan, asked);
        if (_ended.Task.IsCompleted)
            return;
        Stopped = true;
        foreach (var signal in new[] { Signal.Interrupt, Signal.Terminate })
        {
            if (settings.KillNow.IsCancellationRequested || _ended.Task.IsCompleted)
                break;
            Signals.SendToGroup(await _started.Task, signal);
            await WaitForEnd(tool.Grace / 2, settings.KillNow);
        }
        // Also when the child itself has ended: what it started may ignore the softer signals.
        Signals.SendToGroup(await _started.Task, Signal.Kill);
    }

    async Task WaitForEnd(TimeSpan limit, CancellationToken sooner)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(sooner);
        if (await Task.WhenAny(_ended.Task, Task.Delay(limit, settings.Time, over.Token)) == _ended.Task)
            await over.CancelAsync();
    }

    public void Dispose() => _broken.Dispose();
}
