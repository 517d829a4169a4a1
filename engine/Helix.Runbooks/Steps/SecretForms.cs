using System.Text;
using System.Text.Encodings.Web;

namespace Helix.Runbooks.Steps;

/// <summary>The ways in which a secret value turns up in the output of tools.</summary>
static class SecretForms
{
    /// <summary>Shorter parts and encodings would mask ordinary text.</summary>
    public const int ShortestPart = 6;

    public static IEnumerable<string> Of(string secret)
    {
        var forms = new List<string> { secret, secret.Trim() };
        // A key of several lines is printed line by line.
        forms.AddRange(secret.Split('\n', StringSplitOptions.TrimEntries).Where(l => l.Length >= ShortestPart && !l.StartsWith("-----", StringComparison.Ordinal)));
        foreach (var form in forms.Distinct().ToList())
        {
            forms.AddRange(Quoted(form));
            forms.AddRange(UrlEncoded(form));
            forms.AddRange(Base64(Encoding.UTF8.GetBytes(form)).Where(f => f.Length >= ShortestPart));
        }
        return forms.Distinct();
    }

    static IEnumerable<string> Quoted(string text)
    {
        yield return JavaScriptEncoder.Default.Encode(text);
        yield return JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text);
        yield return text.Replace("'", @"'\''", StringComparison.Ordinal);
        yield return text.Replace("'", "'\"'\"'", StringComparison.Ordinal);
        yield return EscapedForShell(text, "\"\\$`");
        // `printf %q` and `set -x` escape each special character.
        yield return EscapedForShell(text, " \t!\"#$&'()*,;<>?[\\]^`{|}~");
    }

    static string EscapedForShell(string text, string special)
    {
        var escaped = new StringBuilder(text.Length * 2);
        foreach (var c in text)
            escaped.Append(special.Contains(c) ? "\\" : "").Append(c);
        return escaped.ToString();
    }

    static IEnumerable<string> UrlEncoded(string text)
    {
        var upper = Uri.EscapeDataString(text);
        var lower = System.Text.RegularExpressions.Regex.Replace(upper, "%[0-9A-F]{2}", m => m.Value.ToLowerInvariant());
        return [upper, lower, upper.Replace("%20", "+", StringComparison.Ordinal), lower.Replace("%20", "+", StringComparison.Ordinal)];
    }

    /// <summary>Inside a longer base64 text the value begins at one of three alignments; the part that depends on it alone is masked.</summary>
    static IEnumerable<string> Base64(byte[] value)
    {
        yield return Convert.ToBase64String(value);
        yield return UrlSafe(Convert.ToBase64String(value));
        for (var before = 0; before < 3; before++)
        {
            var text = Convert.ToBase64String([.. new byte[before], .. value]);
            var from = (before * 8 + 5) / 6;
            var to = (before + value.Length) * 8 / 6;
            if (to <= from)
                continue;
            yield return text[from..to];
            yield return UrlSafe(text[from..to]);
        }
    }

    static string UrlSafe(string base64) => base64.Replace('+', '-').Replace('/', '_');
}
