namespace Helix.Runbooks.Steps;

/// <summary>A call of an executable: an immutable noun with an argument list, environment and pipes. Never a shell line.</summary>
public sealed record Tool(ToolLauncher Launcher, string File, CancellationToken Cancelled)
{
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Added to the engine's own environment; null removes a variable.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();
    public string? WorkingDirectory { get; init; }

    /// <summary>Exit codes that are a success. Others throw.</summary>
    public IReadOnlyList<int> Accepted { get; init; } = [0];

    /// <summary>Bytes for the tool's standard input; the tool sees its end when the stream ends. Null: empty.</summary>
    public Stream? Input { get; init; }

    /// <summary>Where standard output goes as it is, byte for byte. Null: kept in the result (its last 1 MiB) and logged.</summary>
    public Stream? Output { get; init; }

    /// <summary>Standard output is also written to the step's log, line by line. False for answers that only a program reads.</summary>
    public bool LogOutput { get; init; } = true;

    /// <summary>On cancel: SIGINT, half of this later SIGTERM, at its end the whole group is killed.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    public Tool With(string name, string? value) => this with { Environment = new Dictionary<string, string?>(Environment) { [name] = value } };
    public Tool Accept(params IReadOnlyList<int> codes) => this with { Accepted = codes };
    public Tool Quietly() => this with { LogOutput = false };

    /// <summary>Runs the tool to its end, draining both pipes.</summary>
    /// <exception cref="StepFailedException">Missing executable, an exit code that is not accepted, or cancelled.</exception>
    public Task<ToolResult> Run() => Launcher.Run(this);

    /// <summary>This tool's output becomes the input of the next; the engine makes the pipe and checks both exit codes.</summary>
    public ToolPipe PipeTo(Tool next) => new ToolPipe([this]).PipeTo(next);
}

/// <summary>How a tool ended. <see cref="ExitCode"/> is 128 + signal when a signal ended it.</summary>
public sealed record ToolResult(int ExitCode, string Stdout, string Stderr)
{
    /// <summary>Standard output was longer than what is kept; the beginning is cut.</summary>
    public bool Cut { get; init; }

    /// <summary>The same for standard error.</summary>
    public bool ErrorsCut { get; init; }
}

/// <summary>Starts processes. The engine has one; a test may script another.</summary>
public abstract class ToolLauncher
{
    public abstract Task<ToolResult> Run(Tool tool);
}

/// <summary>Thrown by an <see cref="Tool.Output"/> that wants no more: the tool sees a closed pipe, and its exit code decides.</summary>
public sealed class OutputClosedException() : IOException("The receiver of the output wants no more.");
