namespace Helix.Runbooks.Model.Yaml;

/// <summary>The text of a file; turns offsets into places.</summary>
sealed class SourceText
{
    readonly List<int> _lineStarts = [0];

    public SourceText(string file, string text)
    {
        File = file;
        Text = text;
        for (var i = 0; i < text.Length; i++)
            if (text[i] == '\n')
                _lineStarts.Add(i + 1);
    }

    public string File { get; }
    public string Text { get; }

    public Position PlaceAt(int offset)
    {
        offset = Math.Clamp(offset, 0, Text.Length);
        var line = _lineStarts.BinarySearch(offset);
        if (line < 0)
            line = ~line - 1;
        return new Position(File, line + 1, offset - _lineStarts[line] + 1);
    }

    public bool HasCommentAfter(int offset)
    {
        var i = offset;
        while (i < Text.Length && Text[i] is ' ' or '\t')
            i++;
        return i > offset && i < Text.Length && Text[i] == '#';
    }

    /// <summary>Walks the source beside the value from the nearest expression before the index; exact but for exotic escapes.</summary>
    public Position PlaceInScalar(ScalarNode scalar, int start, int end, int index)
    {
        var (valueAt, sourceAt) = Anchor(scalar, start, end, index);
        while (valueAt < index && sourceAt < end)
        {
            sourceAt = AfterOne(scalar, sourceAt, end, scalar.Text[valueAt]);
            valueAt++;
        }
        return PlaceAt(Math.Min(sourceAt, end));
    }

    /// <summary>The last <c>{{</c> at or before the index, counted in the value and found again in the source.</summary>
    (int ValueAt, int SourceAt) Anchor(ScalarNode scalar, int start, int end, int index)
    {
        var sourceAt = start + (scalar.Style is ScalarStyle.SingleQuoted or ScalarStyle.DoubleQuoted ? 1 : 0);
        var valueAt = 0;
        var found = false;
        for (var from = 0; ; from = valueAt + 2)
        {
            var next = from > scalar.Text.Length ? -1 : scalar.Text.IndexOf("{{", from, StringComparison.Ordinal);
            if (next < 0 || next > index)
                break;
            var source = Text.IndexOf("{{", found ? sourceAt + 2 : sourceAt, StringComparison.Ordinal);
            if (source < 0 || source >= end)
                break;
            (valueAt, sourceAt, found) = (next, source, true);
        }
        return found || scalar.Style is not (ScalarStyle.Literal or ScalarStyle.Folded) ? (valueAt, sourceAt) : (index, sourceAt);
    }

    int AfterOne(ScalarNode scalar, int at, int end, char value)
    {
        if (value == '\n' || Text[at] is '\n' or '\r')
            return SkipBreak(at, end);
        return scalar.Style switch
        {
            ScalarStyle.DoubleQuoted when Text[at] == '\\' => at + EscapeLength(at),
            ScalarStyle.SingleQuoted when Text[at] == '\'' => at + 2,
            _ => at + 1,
        };
    }

    int EscapeLength(int at) => at + 1 < Text.Length
        ? Text[at + 1] switch { 'x' => 4, 'u' => 6, 'U' => 10, _ => 2 }
        : 1;

    int SkipBreak(int at, int end)
    {
        while (at < end && Text[at] != '\n')
            at++;
        at++;
        while (at < end && Text[at] == ' ')
            at++;
        return at;
    }
}
