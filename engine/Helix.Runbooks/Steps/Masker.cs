using System.Buffers;
using System.Text;

namespace Helix.Runbooks.Steps;

/// <summary>Replaces every registered secret, and the forms in which tools print it, by <c>***</c>. Safe for many threads.</summary>
public sealed class Masker
{
    public const string Replacement = "***";

    /// <summary>A secret shorter than this may be an ordinary word by chance.</summary>
    public const int ShortestStrong = 12;

    readonly Lock _lock = new();
    readonly HashSet<string> _secrets = new(StringComparer.Ordinal);
    readonly HashSet<string> _forms = new(StringComparer.Ordinal);
    readonly HashSet<string> _formsOfSecrets = new(StringComparer.Ordinal);
    volatile Search? _search;
    volatile Search? _kept;

    /// <summary>What everybody who looks at the run can read: a password that is a word of it hides nothing there.</summary>
    public string Plain { get; init; } = "";

    /// <summary>From now on the value is masked. An empty one hides nothing.</summary>
    /// <returns>False: it is no more than a word, and <see cref="MaskKept"/> leaves it as it is.</returns>
    public bool Add(string secret)
    {
        if (secret.Trim() is not { Length: > 0 } bare)
            return true;
        var isWord = bare.Length < SecretForms.ShortestPart || (bare.Length < ShortestStrong && Plain.Contains(bare, StringComparison.Ordinal));
        lock (_lock)
        {
            if (!_secrets.Add(secret))
                return !isWord;
            var forms = SecretForms.Of(secret).ToList();
            _forms.UnionWith(forms);
            _search = Search.For(_forms);
            if (isWord)
                return false;
            _formsOfSecrets.UnionWith(forms);
            _kept = Search.For(_formsOfSecrets);
            return true;
        }
    }

    /// <summary>The text without any secret. The same object when there is none in it.</summary>
    public string Mask(string text) => _search is { } search ? search.Replace(text) : text;

    /// <summary>The same for what is read back and acted upon: a password like "neo4j" must not make another user or another file of it.</summary>
    public string MaskKept(string text) => _kept is { } search ? search.Replace(text) : text;

    /// <summary>The length of the longest masked form: a text cut into pieces overlaps by this much.</summary>
    public int Longest => _search?.Longest ?? 0;

    /// <summary>A secret too long to be a word by chance is part of the text as it is.</summary>
    public bool IsIn(string text)
    {
        if (_search is null)
            return false;
        lock (_lock)
            return _secrets.Any(s => s.Length >= ShortestStrong && text.Contains(s, StringComparison.Ordinal));
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
