using System.Text;
using System.Text.RegularExpressions;

namespace Helix.Runbooks.Reports;

/// <summary>What people are asked and told, as HTML: headings, lists, fences, <c>**bold**</c> and <c>`code`</c>, and of Markdown no more.</summary>
/// <remarks>These texts hold what steps put out. So all is escaped first, nothing becomes a link or a picture, line breaks stay, and no word of it is dropped: who answers is bound to all of it.</remarks>
public sealed partial class HtmlProse
{
    readonly StringBuilder _html = new();
    readonly List<string> _text = [];
    readonly Stack<(int Indent, string Tag)> _lists = new();

    public static string Of(string text)
    {
        var prose = new HtmlProse();
        var lines = new Queue<string>(text.ReplaceLineEndings("\n").Trim('\n').Split('\n'));
        while (lines.TryDequeue(out var line))
            prose.Read(line, lines);
        prose.CloseLists(-1);
        return prose._html.ToString().TrimEnd();
    }

    void Read(string line, Queue<string> next)
    {
        var indent = line.Length - line.TrimStart().Length;
        if (Opening().IsMatch(line) && next.Any(l => l.Trim() == "```"))
            Fence(next, indent);
        else if (Item().Match(line) is { Success: true } item)
            BeginItem(indent, item.Groups["number"].Value, item.Groups["text"].Value);
        else if (Heading().Match(line) is { Success: true } heading)
        {
            CloseLists(-1);
            _html.Append($"<h3>{Inline(heading.Groups[1].Value)}</h3>\n");
        }
        else if (line.Trim().Length == 0)
            Flush();
        else
        {
            // What stands below the text of an item belongs to it.
            if (_lists.Count > 0 && indent <= _lists.Peek().Indent)
                CloseLists(-1);
            _text.Add(line.Trim());
        }
    }

    void Fence(Queue<string> lines, int indent)
    {
        Flush();
        _html.Append("<pre><code>");
        while (lines.Dequeue() is var line && line.Trim() != "```")
            _html.Append(HtmlReport.E(line[Math.Min(indent, line.Length - line.TrimStart().Length)..])).Append('\n');
        _html.Append("</code></pre>\n");
    }

    void BeginItem(int indent, string number, string text)
    {
        var tag = number.Length > 0 ? "ol" : "ul";
        CloseLists(indent);
        if (_lists.TryPeek(out var list) && list.Indent == indent && list.Tag == tag)
            _html.Append("</li>\n");
        else
        {
            if (_lists.Count > 0 && list.Indent == indent)
                CloseLists(indent - 1);
            _html.Append($"<{tag}>\n");
            _lists.Push((indent, tag));
        }
        _html.Append(number.Length > 0 ? $"<li value=\"{number}\">" : "<li>");
        _text.Add(text);
    }

    /// <summary>Those that stand further to the right; with -1 all.</summary>
    void CloseLists(int indent)
    {
        Flush();
        while (_lists.TryPeek(out var list) && list.Indent > indent)
            _html.Append($"</li></{_lists.Pop().Tag}>\n");
    }

    void Flush()
    {
        if (_text.Count > 0)
            _html.Append(_lists.Count > 0 ? $"<span>{Inline(string.Join('\n', _text))}</span>\n" : $"<p>{Inline(string.Join('\n', _text))}</p>\n");
        _text.Clear();
    }

    /// <summary>Escaping comes first and leaves the marks as they are.</summary>
    static string Inline(string text) => Marks(HtmlReport.E(text));

    static string Marks(string escaped) => Marked().Replace(escaped, m =>
        m.Groups["code"].Success ? $"<code>{m.Groups["code"].Value}</code>" : $"<b>{Marks(m.Groups["bold"].Value)}</b>");

    /// <summary>With a language or without; any other word behind it is text.</summary>
    [GeneratedRegex("^ *```(sh|bash|console|yaml|json|text|sql|cypher)? *$")]
    private static partial Regex Opening();

    [GeneratedRegex(@"^ *([-*+]|(?<number>\d{1,3})[.)]) +(?<text>\S.*)$")]
    private static partial Regex Item();

    [GeneratedRegex(@"^#{1,6} +(\S.*)$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"`(?<code>[^`\n]+)`|\*\*(?<bold>[^\s*]([^*\n]*[^\s*])?)\*\*")]
    private static partial Regex Marked();
}
