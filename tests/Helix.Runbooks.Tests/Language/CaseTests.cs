using System.Text;
using Helix.Runbooks.Model;

namespace Helix.Runbooks.Tests.Language;

/// <summary>Golden documents: <c>tests/Cases/*.case</c> holds a document, perhaps further files, and after the last ---- the problems that are expected.</summary>
/// <remarks>Run with HELIX_UPDATE_CASES=1 to write what is found now, then read the difference.</remarks>
public sealed class CaseTests
{
    public static TheoryData<string> Names => [.. Directory.GetFiles(Folder, "*.case").Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal)];

    static string Folder => Path.Combine(Repository.Root, "tests", "Cases");

    [Theory, MemberData(nameof(Names))]
    public void A_document_gives_the_problems_that_its_case_names(string name)
    {
        var path = Path.Combine(Folder, name + ".case");
        var text = File.ReadAllText(path);
        var (document, files, expected) = Split(text);
        var found = string.Join("\n", Found(name, document, files).Select(p => $"{p.Rule}: {p}"));
        if (System.Environment.GetEnvironmentVariable("HELIX_UPDATE_CASES") == "1")
            File.WriteAllText(path, text[..(text.LastIndexOf("\n----\n", StringComparison.Ordinal) + 6)] + (found.Length > 0 ? found + "\n" : ""));
        else
            Assert.Equal(expected.Trim(), found.Trim());
    }

    /// <summary>The document of a case and all that is found in it.</summary>
    public static (string Document, IReadOnlyList<Problem> Problems) Read(string name)
    {
        var (document, files, _) = Split(File.ReadAllText(Path.Combine(Folder, name + ".case")));
        return (document, Found(name, document, files));
    }

    static IReadOnlyList<Problem> Found(string name, string document, List<(string Path, string Text)> files)
    {
        if (name.StartsWith("environment", StringComparison.Ordinal))
            return Sample.ReadEnvironment(document).Problems;
        var environment = files.Where(f => f.Path == "environment.yaml").Select(f => Sample.ReadEnvironment(f.Text)).FirstOrDefault();
        Assert.Empty(environment?.Problems ?? []);
        return Sample.Read(document, environment?.Value, [.. files]).Problems;
    }

    static (string Document, List<(string, string)> Files, string Expected) Split(string text)
    {
        var files = new List<(string, string)>();
        var end = text.LastIndexOf("\n----\n", StringComparison.Ordinal);
        var sections = text[..(end + 1)].Split("\n---- ");
        foreach (var section in sections.Skip(1))
            files.Add((section.Split('\n')[0], section[(section.IndexOf('\n', StringComparison.Ordinal) + 1)..]));
        return (sections[0] + "\n", files, text[(end + 6)..]);
    }
}
