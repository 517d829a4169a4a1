using System.Reflection;
using System.Text.RegularExpressions;

namespace Helix.Runbooks.Tests.House;

/// <summary>The rules of the house that a compiler does not hold.</summary>
public sealed partial class StyleTests
{
    const int MostLines = 420;
    const int UsualLines = 70;
    const string ThisFolder = "tests/Helix.Runbooks.Tests/House/";

    [Fact]
    public void No_file_is_longer_than_a_few_screens() =>
        Assert.Empty(Source.CSharp().Where(f => Source.Lines(f).Count > MostLines).Select(f => $"{f}: {Source.Lines(f).Count} lines"));

    [Fact]
    public void Most_files_are_short()
    {
        var lengths = Source.CSharp("engine", "steps").Select(f => Source.Lines(f).Count).Order().ToList();
        Assert.True(lengths[lengths.Count / 2] < UsualLines, $"The median is {lengths[lengths.Count / 2]} lines.");
    }

    [Fact]
    public void Folders_are_three_deep_at_most() =>
        Assert.Empty(Source.Files.Where(f => !f.StartsWith('.')).Where(f => f.Split('/').Length > 5));

    [Fact]
    public void Nothing_is_left_to_do() =>
        Assert.Empty(Source.Files.Where(Ours).Matching(Unfinished(), comments: true));

    [Fact]
    public void No_type_is_named_by_what_could_be_anything() =>
        Assert.Empty(Source.CSharp("engine", "steps").Matching(Vague()));

    [Fact]
    public void Analyzers_are_silenced_in_one_place_only() =>
        Assert.Empty(Source.Files.Where(Ours).Matching(Silenced()));

    [Fact]
    public void Every_silenced_analyzer_has_its_reason_above_it()
    {
        var lines = Source.Lines(".editorconfig");
        var bare = lines.Select((text, i) => (text, i))
            .Where(l => SilencedRule().IsMatch(l.text) && !HasReason(lines, l.i))
            .Select(l => $".editorconfig:{l.i + 1}: {l.text}");
        Assert.Empty(bare);
    }

    /// <summary>One reason may stand for several rules that follow each other.</summary>
    static bool HasReason(IReadOnlyList<string> lines, int at)
    {
        while (at > 0 && SilencedRule().IsMatch(lines[at]))
            at--;
        return lines[at].TrimStart().StartsWith("# ", StringComparison.Ordinal);
    }

    [Fact]
    public void A_test_is_named_by_a_sentence()
    {
        var names = typeof(StyleTests).Assembly.GetTypes().SelectMany(t => t.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Where(m => m.GetCustomAttributes<FactAttribute>().Any())
            .Where(m => !Sentence().IsMatch(m.Name))
            .Select(m => $"{m.DeclaringType!.Name}.{m.Name}");
        Assert.Empty(names);
    }

    static bool Ours(string file) => !file.StartsWith(ThisFolder, StringComparison.Ordinal);

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b|NotImplementedException")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"\b(class|record|interface|struct) \w*(Manager|Helper|Helpers|Service|Util|Utils|Utility|Base|Impl)\b")]
    private static partial Regex Vague();

    [GeneratedRegex(@"#pragma warning disable|SuppressMessage\(|<NoWarn>|WarningsNotAsErrors")]
    private static partial Regex Silenced();

    [GeneratedRegex(@"^\s*dotnet_diagnostic\.\w+\.severity\s*=\s*(none|silent|suggestion)")]
    private static partial Regex SilencedRule();

    [GeneratedRegex("^[A-Z][A-Za-z0-9]*(_[A-Za-z0-9]+){2,}$")]
    private static partial Regex Sentence();
}
