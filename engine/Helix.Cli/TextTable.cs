namespace Helix.Cli;

/// <summary>Columns for people; a program takes <c>--json</c>.</summary>
static class TextTable
{
    public static string Of(string[] heads, IEnumerable<string[]> rows)
    {
        List<string[]> all = [heads, .. rows];
        var widths = heads.Select((_, i) => all.Max(r => r[i].Length)).ToArray();
        return string.Join("\n", all.Select(r => string.Join("  ", r.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd()));
    }
}
