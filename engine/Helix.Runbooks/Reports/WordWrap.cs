using System.Text.RegularExpressions;

namespace Helix.Runbooks.Reports;

/// <summary>Breaks lines between words, for a screen that would break them in mid-word.</summary>
/// <remarks>What goes on in the next line stands below the text of a list or label, not below its mark. Lines within fences, and commands, are pasted: they stay whole, and so does a word that is longer than a line.</remarks>
public static partial class WordWrap
{
    /// <param name="width">Columns, of which none is left over.</param>
    public static string Text(string text, int width)
    {
        var fenced = false;
        var lines = new List<string>();
        foreach (var line in text.Split('\n'))
        {
            var fence = line.TrimStart().StartsWith("```", StringComparison.Ordinal);
            fenced ^= fence;
            lines.AddRange(fenced || fence || line.StartsWith("command: ", StringComparison.Ordinal) ? [line] : Line(line, width));
        }
        return string.Join("\n", lines);
    }

    static IEnumerable<string> Line(string line, int width)
    {
        var begin = Beginning().Match(line).Length;
        var hanging = new string(' ', begin < width / 2 ? begin : 0);
        while (line.Length > width && Break(line, begin, width) is > 0 and var at)
        {
            yield return line[..at].TrimEnd();
            (line, begin) = (hanging + line[at..].TrimStart(), hanging.Length);
        }
        yield return line;
    }

    /// <summary>The blank to break at: the last that fits, else the first; none: -1. A blank at the end breaks nothing.</summary>
    static int Break(string line, int begin, int width)
    {
        var at = line.LastIndexOf(' ', width, width - Math.Min(begin, width));
        if (at <= begin)
            at = line.IndexOf(' ', Math.Min(Math.Max(begin, width), line.Length));
        return at >= 0 && line.AsSpan(at).IsWhiteSpace() ? -1 : at;
    }

    /// <summary>Indentation with the mark of a list ("- ", "2. ") or a label that facts stand beside ("who:     ").</summary>
    [GeneratedRegex(@"^ *([-*+•] +|\d{1,3}[.)] +|[a-z]+: {2,})?")]
    private static partial Regex Beginning();
}
