using System.Runtime.ExceptionServices;
using Helix.Runbooks.Steps.Processes;

namespace Helix.Runbooks.Steps;

/// <summary>Where a line of a step's log comes from.</summary>
public enum ToolStream { Stdout, Stderr, Engine }

/// <summary>What the engine gives to the launcher of one step.</summary>
public sealed record ProcessSettings
{
    public required Masker Masker { get; init; }

    /// <summary>Each masked line as it comes; called from several threads.</summary>
    public Action<ToolStream, string> Log { get; init; } = (_, _) => { };

    /// <summary>Where each child's identity is on disk while it lives, for an engine that comes after this one. Null: nowhere.</summary>
    public string? PidFolder { get; init; }

    /// <summary>The path of the step in the run.</summary>
    public string Step { get; init; } = "step";

    /// <summary>Throws when nothing may be done any more. Asked before a child is started, and again before it is let go.</summary>
    public Action BeforeEffect { get; init; } = () => { };

    /// <summary>The second Ctrl-C: no grace.</summary>
    public CancellationToken KillNow { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>How much of the end of stdout and stderr is kept in the result.</summary>
    public int KeptBytes { get; init; } = 1 << 20;
}

/// <summary>Starts real processes, each in its own session, with both pipes drained in constant memory.</summary>
public sealed class ProcessLauncher : ToolLauncher
{
    readonly ProcessSettings _settings;
    int _started;

    public ProcessLauncher(ProcessSettings settings)
    {
        _settings = settings;
        Signals.ResetInChildren();
        if (settings.PidFolder is { } folder)
            Directory.CreateDirectory(folder);
    }

    public override async Task<ToolResult> Run(Tool tool)
    {
        if (tool.Cancelled.IsCancellationRequested || _settings.KillNow.IsCancellationRequested)
            throw new StepFailedException(FailureClass.Cancelled, $"{Name(tool)} was not started: the step was cancelled.");
        RefuseVisibleSecrets(tool);
        var executable = Executables.Find(tool);
        if (tool.WorkingDirectory is { } directory && !Directory.Exists(directory))
            throw StepFailedException.Missing($"{Name(tool)} was not started: its working directory {directory} does not exist.");
        var pidFile = _settings.PidFolder is { } folder ? Path.Combine(folder, $"{PidFileName(_settings.Step)}.{Interlocked.Increment(ref _started)}") : null;
        _settings.BeforeEffect();
        using var child = new Child(_settings, tool);
        var result = await child.Run(executable, pidFile);
        if (pidFile is not null)
            File.Delete(pidFile);
        return Judged(tool, result, child);
    }

    /// <summary>The first part of the name of a step's pid files; <c>.1</c>, <c>.2</c> … follow.</summary>
    public static string PidFileName(string step) => Uri.EscapeDataString(step);

    ToolResult Judged(Tool tool, ToolResult result, Child child)
    {
        if (child.Fault is StepFailedException or LeaseLostException)
            ExceptionDispatchInfo.Throw(child.Fault);
        if (child.Fault is { } fault)
            throw new StepFailedException(FailureClass.Transient, $"{Name(tool)} was ended because its input or output broke: {_settings.Masker.Mask(fault.Message)}", inner: fault);
        if (child.Stopped)
            throw new StepFailedException(FailureClass.Cancelled, $"{Name(tool)} was interrupted and ended with {ExitWords(result.ExitCode)}.");
        return tool.Accepted.Contains(result.ExitCode) ? result : throw Failed(tool, result);
    }

    StepFailedException Failed(Tool tool, ToolResult result)
    {
        var words = LastWords(result.Stderr) is { Length: > 0 } stderr ? stderr : LastWords(_settings.Masker.Mask(tool.LogOutput ? result.Stdout : ""));
        var failure = result.ExitCode is 126 or 127 ? FailureClass.Missing : FailureClass.Transient;
        return new(failure, $"{Name(tool)} ended with {ExitWords(result.ExitCode)}{(words.Length > 0 ? $": {words}" : " and said nothing.")}");
    }

    /// <summary>Everybody on the machine can read argument lists.</summary>
    void RefuseVisibleSecrets(Tool tool)
    {
        var at = tool.Arguments.ToList().FindIndex(a => _settings.Masker.IsIn(a));
        if (at >= 0)
            throw new RunbookException($"Argument {at + 1} of {Path.GetFileName(tool.File)} holds a secret, and everybody on the machine can read arguments.",
                "Give it through the environment or standard input.");
    }

    /// <summary>The tool and what it was asked, as far as that is short and no secret.</summary>
    string Name(Tool tool)
    {
        var call = string.Join(' ', tool.Arguments.Prepend(Path.GetFileName(tool.File)));
        var line = call.IndexOf('\n');
        call = _settings.Masker.Mask(line < 0 ? call : call[..line] + " …");
        return call.Length <= 80 ? call : call[..79] + "…";
    }

    static string LastWords(string text)
    {
        var lines = text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).TakeLast(5);
        var words = string.Join(" | ", lines);
        return words.Length <= 1000 ? words : "…" + words[^999..];
    }

    static string ExitWords(int code) => code switch
    {
        130 => "exit code 130 (SIGINT)",
        137 => "exit code 137 (SIGKILL: killed, or out of memory)",
        143 => "exit code 143 (SIGTERM)",
        > 128 and < 160 => $"exit code {code} (signal {code - 128})",
        _ => $"exit code {code}",
    };
}
