using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Helix.Runbooks.Model.Yaml;

/// <summary>Bytes → node tree, refusing what the language does not have: aliases, tags, merge keys, tabs, several documents, depth and size without bound.</summary>
sealed class YamlText(string file, ProblemList problems)
{
    public const int MostBytes = 1 << 20;
    public const int MostDepth = 64;

    SourceText _source = null!;
    Parser _events = null!;

    /// <summary>In the order of the text.</summary>
    readonly List<ScalarNode> _scalars = [];

    /// <returns>Null when there is no tree to go on with; a problem says why.</returns>
    public Node? Read(byte[] bytes)
    {
        if (Decode(bytes) is not { } text || !CheckCharacters(text))
            return null;
        _events = new Parser(new Scanner(new StringReader(text), skipComments: true));
        try
        {
            var root = ReadDocument();
            ReportTabs();
            return root;
        }
        catch (TooDeep)
        {
            return null;
        }
        catch (YamlException e)
        {
            ReportSyntax(e.Start, e.Message);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or IndexOutOfRangeException or FormatException or OverflowException)
        {
            // The parser's own way to refuse escapes of characters that do not exist.
            ReportSyntax(_events.Current?.End ?? Mark.Empty, "there is an escape or a character that means nothing here");
        }
        return null;
    }

    string? Decode(byte[] bytes)
    {
        if (bytes.Length > MostBytes)
        {
            problems.Error("too-large", new(file, 1, 1), $"The file has {bytes.Length} bytes; at most 1 MiB is read.", "Split it: `uses: runbook` takes another file.");
            return null;
        }
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
            text = text.StartsWith('\uFEFF') ? text[1..] : text;
            _source = new SourceText(file, text);
            return text;
        }
        catch (DecoderFallbackException e)
        {
            var line = bytes.Take(Math.Max(0, e.Index)).Count(b => b == '\n') + 1;
            problems.Error("encoding", new(file, line, 1), "The file is not UTF-8 text.", "Save it as UTF-8.");
            return null;
        }
    }

    bool CheckCharacters(string text)
    {
        for (var i = 0; i < text.Length; i++)
            if (char.IsControl(text[i]) && text[i] is not ('\n' or '\r' or '\t'))
            {
                problems.Error("control-character", _source.PlaceAt(i), $"There is a control character (U+{(int)text[i]:X4}) in the file.", "Remove it, or write it as an escape in double quotes.");
                return false;
            }
        return true;
    }

    Node? ReadDocument()
    {
        Take<StreamStart>();
        if (_events.Current is StreamEnd)
        {
            problems.Error("empty", new(file, 1, 1), "The file is empty.");
            return null;
        }
        Take<DocumentStart>();
        var root = ReadNode(1);
        Take<DocumentEnd>();
        if (_events.Current is DocumentStart second)
            problems.Error("several-documents", Place(second.Start), "A second document begins here.", "One file holds one document; put the other into its own file.");
        return root;
    }

    Node ReadNode(int depth)
    {
        var place = Place(_events.Current?.Start ?? Mark.Empty);
        if (depth > MostDepth)
        {
            problems.Error("too-deep", place, $"This is nested deeper than {MostDepth} levels.");
            throw new TooDeep();
        }
        if (_events.Current is AnchorAlias alias)
        {
            problems.Error("alias", place, $"'*{alias.Value}' is an alias.", "Write the value out: aliases are not part of the language.");
            _events.MoveNext();
            return new BrokenNode(place);
        }
        // The parser itself gives no value for some keys that it could not make sense of.
        if (_events.Current is not NodeEvent current)
            throw new SemanticErrorException(_events.Current?.Start ?? Mark.Empty, _events.Current?.End ?? Mark.Empty, "While parsing, did not find the expected value");
        if (!current.Anchor.IsEmpty)
            problems.Error("anchor", place, $"'&{current.Anchor}' is an anchor.", "Leave it out: anchors and aliases are not part of the language.");
        if (!current.Tag.IsEmpty)
            problems.Error("tag", place, $"'{current.Tag}' is a tag.", "Leave it out: types come from the option, not from a tag.");
        return current switch
        {
            Scalar scalar => ReadScalar(scalar, place),
            SequenceStart => ReadList(place, depth),
            _ => ReadMap(place, depth),
        };
    }

    ScalarNode ReadScalar(Scalar scalar, Position place)
    {
        var (start, end) = ((int)scalar.Start.Index, (int)scalar.End.Index);
        var style = scalar.Style switch
        {
            YamlDotNet.Core.ScalarStyle.SingleQuoted => ScalarStyle.SingleQuoted,
            YamlDotNet.Core.ScalarStyle.DoubleQuoted => ScalarStyle.DoubleQuoted,
            YamlDotNet.Core.ScalarStyle.Literal => ScalarStyle.Literal,
            YamlDotNet.Core.ScalarStyle.Folded => ScalarStyle.Folded,
            _ => ScalarStyle.Plain,
        };
        _events.MoveNext();
        var node = new ScalarNode(place, scalar.Value, style, _source, start, end);
        _scalars.Add(node);
        return node;
    }

    ListNode ReadList(Position place, int depth)
    {
        var items = new List<Node>();
        _events.MoveNext();
        while (_events.Current is not SequenceEnd)
            items.Add(ReadNode(depth + 1));
        _events.MoveNext();
        return new ListNode(place, items);
    }

    Node ReadMap(Position place, int depth)
    {
        var entries = new List<Entry>();
        var unquoted = false;
        var seen = new Dictionary<string, Position>(StringComparer.Ordinal);
        _events.MoveNext();
        while (_events.Current is not MappingEnd)
        {
            var key = ReadNode(depth + 1);
            var value = ReadNode(depth + 1);
            if (key is not ScalarNode name)
                unquoted |= ReportKey(key);
            else if (name is { Text: "<<", IsPlain: true })
                problems.Error("merge-key", name.Position, "'<<' is a merge key.", "Write the fields out: merging is not part of the language.");
            else if (!seen.TryAdd(name.Text, name.Position))
                problems.Error("duplicate-key", name.Position, $"'{name.Text}' is given twice; the first is in line {seen[name.Text].Line}.", "Remove one of them.");
            else
                entries.Add(new Entry(name, value));
        }
        _events.MoveNext();
        return unquoted ? new BrokenNode(place) : new MapNode(place, entries);
    }

    /// <returns>True when the whole map is an expression that lacks its quotes.</returns>
    bool ReportKey(Node key)
    {
        if (key is MapNode)
            problems.Error("unquoted-expression", key.Position, "An expression begins here without quotes, so YAML takes it for a map.", "Write \"{{ … }}\" with quotes around it.");
        else if (key is ListNode)
            problems.Error("complex-key", key.Position, "A key must be text.");
        return key is MapNode;
    }

    /// <summary>Tabs are fine inside a value and in a comment; elsewhere they look like something that they are not.</summary>
    void ReportTabs()
    {
        var text = _source.Text;
        var next = 0;
        for (var i = text.IndexOf('\t', StringComparison.Ordinal); i >= 0; i = text.IndexOf('\t', i + 1))
        {
            while (next < _scalars.Count && _scalars[next].End <= i)
                next++;
            var inside = next < _scalars.Count && _scalars[next].Start <= i;
            if (!inside && !InComment(text, i))
                ReportTab(i);
        }
    }

    static bool InComment(string text, int at)
    {
        for (var i = at; i >= 0 && text[i] != '\n'; i--)
            if (text[i] == '#')
                return true;
        return false;
    }

    void ReportTab(int at) =>
        problems.Error("tab", _source.PlaceAt(at), "There is a tab here.", "Indent and separate with spaces.");

    void ReportSyntax(Mark mark, string message)
    {
        var tabs = problems.Count;
        foreach (var start in LineStarts())
        {
            var i = start;
            while (i < _source.Text.Length && _source.Text[i] == ' ')
                i++;
            if (i < _source.Text.Length && _source.Text[i] == '\t' && !_scalars.Any(s => s.Start < i && i < s.End))
                ReportTab(i);
        }
        if (problems.Count > tabs)
            return;
        var words = message.Contains(", ", StringComparison.Ordinal) ? message[(message.IndexOf(", ", StringComparison.Ordinal) + 2)..] : message;
        problems.Error("yaml", Place(mark), $"This is not valid YAML: {words.Trim().TrimEnd('.')}.", HintFor(mark));
    }

    string? HintFor(Mark mark)
    {
        var line = _source.Text.Split('\n').ElementAtOrDefault((int)mark.Line - 1) ?? "";
        return line.Contains("{{", StringComparison.Ordinal) ? "Write quotes around a value that holds an expression: \"{{ … }}\"."
            : line.Split(": ").Length > 2 ? "Write quotes around a value that holds ': '."
            : "Look at the indentation and at unclosed quotes and brackets here and in the line above.";
    }

    IEnumerable<int> LineStarts()
    {
        yield return 0;
        for (var i = _source.Text.IndexOf('\n', StringComparison.Ordinal); i >= 0; i = _source.Text.IndexOf('\n', i + 1))
            yield return i + 1;
    }

    Position Place(Mark mark) => new(file, (int)Math.Max(1, mark.Line), (int)Math.Max(1, mark.Column));

    void Take<T>() where T : ParsingEvent
    {
        if (_events.Current is null)
            _events.MoveNext();
        if (_events.Current is not T)
            throw new InvalidOperationException($"{typeof(T).Name} was due.");
        _events.MoveNext();
    }

    sealed class TooDeep : Exception;
}
