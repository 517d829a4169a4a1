namespace Helix.Runbooks.Model;

/// <summary>Finds what somebody meant.</summary>
public static class Suggestion
{
    /// <summary>"Did you mean 'x'?", or the list of what there is when nothing is near.</summary>
    public static string Hint(string name, IEnumerable<string> known, string listing)
    {
        var all = known.ToList();
        return Nearest(name, all) is { } near ? $"Did you mean '{near}'?"
            : all.Count == 0 ? $"{listing}: none."
            : $"{listing}: {string.Join(", ", all.Take(40))}{(all.Count > 40 ? ", …" : "")}.";
    }

    public static string? Nearest(string name, IEnumerable<string> known)
    {
        var folded = Fold(name);
        return known.Select(k => (Name: k, Distance: Distance(folded, Fold(k))))
            .Where(c => c.Distance <= Math.Max(1, Math.Min(folded.Length, c.Name.Length) / 3))
            .OrderBy(c => c.Distance).Select(c => c.Name).FirstOrDefault();
    }

    static string Fold(string name) =>
        (name.Length > 64 ? name[..64] : name).ToLowerInvariant().Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal);

    /// <summary>Edits between two names; two letters swapped count as one.</summary>
    static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++)
            d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
            for (var j = 1; j <= b.Length; j++)
            {
                d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        return d[a.Length, b.Length];
    }
}
