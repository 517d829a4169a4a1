using System.Runtime.InteropServices;

namespace Helix.Cli.Driving;

/// <summary>Ctrl-C once: running steps are interrupted and the run is suspended. Twice: children are killed now. A terminal that hangs up is never the second one: several hear of it, and each passes it on.</summary>
sealed class StopSignals : IDisposable
{
    readonly CancellationTokenSource _interrupt = new();
    readonly CancellationTokenSource _kill = new();
    readonly PosixSignalRegistration[] _registrations;
    readonly Terminal _terminal;
    readonly string? _otherwise;

    /// <param name="otherwise">What is said where no run is driven: then there is nothing to kill either.</param>
    public StopSignals(Terminal terminal, string? otherwise = null)
    {
        (_terminal, _otherwise) = (terminal, otherwise);
        _registrations = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(s => PosixSignalRegistration.Create(s, Stop))];
    }

    public CancellationToken Interrupt => _interrupt.Token;
    public CancellationToken Kill => _kill.Token;

    void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        var first = !_interrupt.IsCancellationRequested;
        if (!first && context.Signal == PosixSignal.SIGHUP)
            return;
        if (first)
            _terminal.Say(_otherwise ?? "Interrupting the running steps; the run will be suspended. Once more kills them now.");
        else if (_otherwise is null)
            _terminal.Say("Killing.");
        (first ? _interrupt : _kill).Cancel();
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _interrupt.Dispose();
        _kill.Dispose();
    }
}
