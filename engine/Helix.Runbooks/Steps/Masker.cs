using System.Buffers;
using System.Text;

namespace Helix.Runbooks.Steps;

/// <summary>Replaces every registered secret, and the forms in which tools print it, by <c>***</c>. Safe for many threads.</summary>
public sealed class Masker
{
    public const string Replacement = "***";

    readonly Lock _lock = new();
    readonly HashSet<string> _secrets = new(StringComparer.Ordinal);
    readonly HashSet<string> _forms = new(StringComparer.Ordinal);
    volatile Search? _search;

    /// <summary>From now on the value is masked. An empty one hides nothing.</summary>
    public void Add(string secret)
    {
        if (secret.Trim().Length == 0)
            return;
        lock (_lock)
        {
            if (!_secrets.Add(secret))
                return;
            _forms.UnionWith(SecretForms.Of(secret));
            _search = Search.For(_forms);
        }
    }

    /// <summary>The text without any secret. The same object when there is none in it.</summary>
    public string Mask(string text) => _search is { } search ? search.Replace(text) : text;

    /// <summary>The length of the longest masked form: a text cut into pieces overlaps by this much.</summary>
    public int Longest => _search?.Longest ?? 0;

    /// <summary>A secret of at least <paramref name="minimumLength"/> characters, as it is, is part of the text.</summary>
    public bool IsIn(string text, int minimumLength)
    {
        if (_search is null)
            return false;
        lock (_lock)
            return _secrets.Any(s => s.Length >= minimumLength && text.Contains(s, StringComparison.Ordinal));
    }

    /// <summary>One combined search for all forms; at each place the longest one is taken.</summary>
    sealed record Search(SearchValues<string> All, string[] LongestFirst, int Longest)
    {
        public static Search For(IReadOnlyCollection<string> forms) =>
            new(SearchValues.Create([.. forms], StringComparison.Ordinal), [.. forms.OrderByDescending(f => f.Length)], forms.Max(f => f.Length));

        public string Replace(string text)
        {
            var at = text.AsSpan().IndexOfAny(All);
            if (at < 0)
                return text;
            var result = new StringBuilder(text.Length);
            var rest = text.AsSpan();
            for (; at >= 0; at = rest.IndexOfAny(All))
            {
                result.Append(rest[..at]).Append(Replacement);
                rest = rest[(at + LengthAt(rest[at..]))..];
            }
            return result.Append(rest).ToString();
        }

        int LengthAt(ReadOnlySpan<char> text)
        {
            foreach (var form in LongestFirst)
                if (text.StartsWith(form, StringComparison.Ordinal))
                    return form.Length;
            return 1;
        }
    }
}
