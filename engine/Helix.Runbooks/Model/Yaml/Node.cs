namespace Helix.Runbooks.Model.Yaml;

/// <summary>A piece of a YAML file with its place.</summary>
abstract class Node(Position position)
{
    public Position Position { get; } = position;
}

enum ScalarStyle { Plain, SingleQuoted, DoubleQuoted, Literal, Folded }

sealed class ScalarNode(Position position, string text, ScalarStyle style, SourceText source, int start, int end) : Node(position)
{
    public string Text { get; } = text;
    public ScalarStyle Style { get; } = style;
    public int Start { get; } = start;
    public int End { get; } = end;
    public bool IsPlain => Style == ScalarStyle.Plain;

    /// <summary>A comment follows on the same line: a plain value may have been cut there.</summary>
    public bool HasComment => source.HasCommentAfter(End);

    /// <summary>The place in the file of a character of <see cref="Text"/>.</summary>
    public Position PlaceOf(int index) => source.PlaceInScalar(this, Start, End, index);
}

sealed class ListNode(Position position, IReadOnlyList<Node> items) : Node(position)
{
    public IReadOnlyList<Node> Items { get; } = items;
}

/// <summary>A class, as all that stands in lists here: the runtime brings compiled lists of references, and compiles those of structs anew at each start.</summary>
sealed record Entry(ScalarNode Key, Node Value);

/// <summary>Keys are unique: a repeated one was reported and left out.</summary>
sealed class MapNode(Position position, IReadOnlyList<Entry> entries) : Node(position)
{
    public IReadOnlyList<Entry> Entries { get; } = entries;

    public Node? this[string key]
    {
        get
        {
            foreach (var entry in Entries)
                if (entry.Key.Text == key)
                    return entry.Value;
            return null;
        }
    }
}

/// <summary>Something that was refused and reported; nothing more is said about it.</summary>
sealed class BrokenNode(Position position) : Node(position);
