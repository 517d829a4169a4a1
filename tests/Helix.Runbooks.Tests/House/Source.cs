namespace Helix.Runbooks.Tests.House;

/// <summary>The text of this repository, as far as people write it.</summary>
static class Source
{
    public static string Root => Repository.Root;

    static readonly string[] Written = [".cs", ".csproj", ".props", ".yaml", ".yml", ".md", ".sh", ".json", ".txt", ".case", ".sln"];

    /// <summary>Paths from the root, without what a build makes.</summary>
    public static IReadOnlyList<string> Files { get; } =
    [
        .. Directory.EnumerateFiles(Root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
            .Select(f => Path.GetRelativePath(Root, f))
            .Where(f => Written.Contains(Path.GetExtension(f)) && !f.Split('/').Any(p => p is "bin" or "obj" or ".git" or "TestResults"))
            .Order(StringComparer.Ordinal),
    ];

    public static IEnumerable<string> CSharp(params string[] tops) =>
        Files.Where(f => f.EndsWith(".cs", StringComparison.Ordinal) && (tops.Length == 0 || tops.Contains(f.Split('/')[0])));

    public static IReadOnlyList<string> Lines(string file) => File.ReadAllLines(Path.Combine(Root, file));

    /// <summary>Lines of code that match, as <c>file:line: text</c>. Comments do not count.</summary>
    public static IEnumerable<string> Matching(this IEnumerable<string> files, System.Text.RegularExpressions.Regex what, bool comments = false) =>
        files.SelectMany(f => Lines(f).Select((text, i) => (text, At: $"{f}:{i + 1}")))
            .Where(l => what.IsMatch(l.text) && (comments || !l.text.TrimStart().StartsWith("//", StringComparison.Ordinal)))
            .Select(l => $"{l.At}: {l.text.Trim()}");
}
