using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Reports;

namespace Helix.Cli.Driving;

/// <summary>One line per change, for logs and machines without a terminal.</summary>
sealed class LineView(Terminal terminal, Plan plan, RunState state) : IRunView
{
    readonly RunLines _lines = new(plan, state);

    public Task Show(RunState state, IReadOnlyList<JournalEntry> news, IReadOnlyList<LogLine> lines)
    {
        foreach (var entry in news)
            if (_lines.Of(entry) is { } line)
                terminal.Say(line);
        foreach (var line in lines)
            terminal.Say($"{Words.Time(line.At)}     {line.Path}{(line.Stream == "stderr" ? " !" : " |")} {line.Text}");
        return Task.CompletedTask;
    }

    public void Dispose() => terminal.Error.Flush();
}
