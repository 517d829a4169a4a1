using System.Collections.Concurrent;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Helix.Cli.Driving;

/// <summary>The tree of a run, redrawn in place; it steps aside for a question.</summary>
sealed class LiveView : IRunView
{
    readonly Session _session;
    readonly Plan _plan;
    readonly ConcurrentDictionary<string, StepProgress> _progress;
    readonly Func<string, TimeSpan?> _typical;
    readonly IAnsiConsole _console;
    readonly Asking? _asking;
    readonly List<string> _tail = [];
    int _drawn;

    public LiveView(Session session, JournalStore store, Plan plan, ConcurrentDictionary<string, StepProgress> progress, bool asks = true)
    {
        _session = session;
        _plan = plan;
        _progress = progress;
        _typical = Reporting.Typical(session.NewEngine(store), plan);
        _asking = asks ? new Asking(session, store, plan) : null;
        _console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(session.Terminal.Error),
            Ansi = AnsiSupport.Yes,
            ColorSystem = session.Terminal.Color ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
        });
        _console.Profile.Width = session.Terminal.Width;
    }

    static readonly TimeSpan Often = TimeSpan.FromMilliseconds(90);
    long _shown;
    RunState? _stale;

    public async Task Show(RunState state, IReadOnlyList<JournalEntry> news, IReadOnlyList<LogLine> lines)
    {
        Keep(lines);
        var question = _asking?.Next(state);
        _stale = state;
        if (question is null && (_session.Terminal.Quiet || _session.Time.GetElapsedTime(_shown) < Often))
            return;
        Draw(state);
        if (question is not null)
        {
            _drawn = 0; // what is above stays; the tree starts anew below the question
            await _asking!.Ask(state, question);
        }
    }

    void Keep(IReadOnlyList<LogLine> lines)
    {
        _tail.AddRange(lines.Select(l => $"{l.Path} | {l.Text}"));
        if (_tail.Count > 3)
            _tail.RemoveRange(0, _tail.Count - 3);
    }

    void Draw(RunState state)
    {
        _stale = null;
        _shown = _session.Time.GetTimestamp();
        var now = _session.Time.GetUtcNow();
        var rows = new List<string> { $"[bold]{Markup.Escape(RunTree.ClockLine(Clocks.Of(state, _plan, _session.Catalog, now, _typical), now))}[/]" };
        var lines = RunTree.Lines(state, _plan, now, _typical, path => _progress.GetValueOrDefault(path));
        rows.AddRange(Fitting(lines).Select(Row));
        if (state.Ended is null)
            rows.AddRange(_tail.Select(l => $"[dim]  {Markup.Escape(Cut(l))}[/]"));
        if (_drawn > 0)
            _session.Terminal.Error.Write($"\u001b[{_drawn}A\u001b[J");
        _console.Write(new Rows(rows.Select(r => (IRenderable)new Markup(r).Overflow(Overflow.Ellipsis))));
        _drawn = rows.Count;
    }

    /// <summary>A tree higher than the screen could not be redrawn in place: what is done makes room first.</summary>
    static IEnumerable<TreeLine> Fitting(IReadOnlyList<TreeLine> lines)
    {
        var room = (Console.IsOutputRedirected ? 40 : Math.Max(10, Console.WindowHeight)) - 6;
        if (lines.Count <= room)
            return lines;
        var active = lines.ToList().FindIndex(l => l.Status is not (StepStatus.Succeeded or StepStatus.Skipped));
        return lines.Skip(Math.Clamp(active - 3, 0, lines.Count - room)).Take(room);
    }

    string Row(TreeLine line) => $"[{Colour(line.Status)}]{Markup.Escape(Cut(line.ToString()))}[/]";

    string Cut(string text)
    {
        text = text.ReplaceLineEndings(" ");
        return text.Length < _session.Terminal.Width ? text : text[..(_session.Terminal.Width - 2)] + "…";
    }

    static string Colour(StepStatus status) => status switch
    {
        StepStatus.Succeeded => "green",
        StepStatus.Failed => "red",
        StepStatus.Running => "blue",
        StepStatus.Waiting or StepStatus.Retrying or StepStatus.InDoubt => "yellow",
        _ => "grey",
    };

    public void Dispose()
    {
        if (_stale is { } state && !_session.Terminal.Quiet)
            Draw(state);
        _session.Terminal.Error.Flush();
    }
}
