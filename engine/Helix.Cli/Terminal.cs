using Helix.Runbooks.Reports;

namespace Helix.Cli;

/// <summary>The channels of the process: data goes to <see cref="Out"/>, talk to <see cref="Error"/>. Tests put their own in.</summary>
sealed class Terminal
{
    public required TextWriter Out { get; init; }
    public required TextWriter Error { get; init; }
    public required TextReader In { get; init; }

    /// <summary>A person sits there: questions can be asked and progress can be drawn.</summary>
    public required bool Interactive { get; init; }

    /// <summary>What is typed would be echoed, wherever the talk goes.</summary>
    public bool InIsTerminal
    {
        get => field || Interactive;
        init;
    }

    /// <summary>Standard output is a terminal; else it is read by a program or kept.</summary>
    public bool OutIsTerminal { get; init; }
    public bool Color { get; set; }
    public int Width { get; init; } = 100;

    /// <summary>Only results and errors.</summary>
    public bool Quiet { get; set; }

    /// <summary>Results as JSON on standard output.</summary>
    public bool Json { get; set; }

    public static Terminal OfProcess()
    {
        // Without a byte order mark and with '\n': what is written here is read by other programs.
        var terminal = !Console.IsInputRedirected && !Console.IsErrorRedirected;
        return new Terminal
        {
            Out = Console.Out,
            Error = Console.Error,
            In = Console.In,
            Interactive = terminal,
            InIsTerminal = !Console.IsInputRedirected,
            OutIsTerminal = !Console.IsOutputRedirected,
            Color = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && Environment.GetEnvironmentVariable("TERM") != "dumb",
            Width = terminal && Console.WindowWidth > 20 ? Console.WindowWidth : 100,
        };
    }

    /// <summary>Talk to a person, broken between words where a person reads it.</summary>
    public string Talk(string text) => Interactive ? WordWrap.Text(text, Width) : text;

    /// <summary>The same for what goes to standard output.</summary>
    public string Page(string text) => OutIsTerminal ? WordWrap.Text(text, Width) : text;

    /// <summary>A line of talk; silent with <c>--quiet</c>.</summary>
    public void Say(string line)
    {
        if (!Quiet)
            Tell(line);
    }

    /// <summary>A line of talk, also with <c>--quiet</c>. When the terminal is gone or the disk under standard error is full, nobody hears it, and what is done goes on.</summary>
    public void Tell(string line)
    {
        try
        {
            Error.WriteLine(line);
        }
        catch (IOException)
        {
            // There is nowhere left to say it.
        }
    }

    /// <summary>A secret: typed without an echo at a terminal, else all of standard input without its last line break.</summary>
    public string ReadHidden(string prompt)
    {
        if (!InIsTerminal)
            return WithoutLastBreak(In.ReadToEnd());
        Error.Write(prompt);
        if (!ReferenceEquals(In, Console.In))
            return In.ReadLine() ?? "";
        var typed = new System.Text.StringBuilder();
        for (var key = Console.ReadKey(intercept: true); key.Key != ConsoleKey.Enter; key = Console.ReadKey(intercept: true))
            if (key.Key == ConsoleKey.Backspace)
                typed.Length = Math.Max(0, typed.Length - 1);
            else if (!char.IsControl(key.KeyChar))
                typed.Append(key.KeyChar);
        Error.WriteLine();
        return typed.ToString();
    }

    static string WithoutLastBreak(string text) => text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;

    /// <summary>A line of data for people; with <c>--json</c> the result is written by <see cref="Give"/> instead.</summary>
    public void Write(string line) => Out.WriteLine(line);

    /// <summary>The result: JSON when asked for, else the text.</summary>
    public void Give(System.Text.Json.Nodes.JsonNode json, Func<string> text)
    {
        var result = Json ? json.ToJsonString(Indented) : text();
        if (result.Length > 0)
            Out.WriteLine(result.TrimEnd('\n'));
    }

    static readonly System.Text.Json.JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
