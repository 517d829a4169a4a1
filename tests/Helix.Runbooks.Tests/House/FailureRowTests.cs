using System.Reflection;
using System.Text.RegularExpressions;

namespace Helix.Runbooks.Tests.House;

/// <summary>Known ways to lose data or time, by the ids under which they were collected: some test is named after each.</summary>
public sealed partial class FailureRowTests
{
    static readonly string[] Held = """
        RED-01 RED-03 RED-04 RED-05 RED-07 RED-10 RED-11 RED-14 RED-15
        NEO-01 NEO-02 NEO-03 NEO-05 NEO-06 NEO-07 NEO-08 NEO-09 NEO-10 NEO-11 NEO-12 NEO-13 NEO-14 NEO-15
        S3-01 S3-02 S3-03 S3-05 S3-06 S3-08 S3-09 S3-14 S3-15 S3-17 S3-18 S3-19
        PRC-02 PRC-04 PRC-05 PRC-06 PRC-08
        WFE-01 WFE-03 WFE-05 WFE-06 WFE-08 WFE-10 WFE-11 WFE-12
        YML-01 YML-02 YML-06 YML-07 TPL-01 TPL-03
        TF-01 TF-02 TF-03 TF-07 VLT-01 VLT-02 VLT-03 VLT-04
        K8S-01 K8S-02 K8S-05 K8S-06 K8S-07 K8S-08 K8S-09
        DOC-01 DOC-02 DOC-03 DOC-04 DOC-05 DOC-07 DOC-09
        TIM-02 TIM-03 TIM-07 TIM-08
        DB-02 DB-04 PM-01 PM-02 PM-03 PM-05 PM-06 PM-07
        """.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);

    public static TheoryData<string> Rows => [.. Held];

    /// <summary>Names of tests, and of the documents under tests/Cases/ that a test reads.</summary>
    static readonly HashSet<string> Claimed =
        [.. typeof(FailureRowTests).Assembly.GetTypes().SelectMany(t => t.GetMethods(BindingFlags.Public | BindingFlags.Instance))
            .Where(m => m.GetCustomAttributes<FactAttribute>().Any()).Select(m => m.Name)
            .Concat(Source.CSharp("tests").Where(f => f.StartsWith("tests/Helix.Server.Tests/", StringComparison.Ordinal)).Matching(OtherTest()))
            .Concat(Source.Files.Where(f => f.StartsWith("tests/Cases/", StringComparison.Ordinal)).Select(f => Path.GetFileName(f).ToUpperInvariant()))
            .SelectMany(n => Id().Matches(n)).Select(m => $"{m.Groups[1].Value}-{m.Groups[2].Value}")];

    [Theory, MemberData(nameof(Rows))]
    public void A_known_failure_has_a_test_that_is_named_after_it(string row) => Assert.Contains(row, Claimed);

    [Fact]
    public void A_test_that_names_a_row_names_one_that_is_known() =>
        Assert.Empty(Claimed.Where(c => Rows.Select(r => r.Data.Split('-')[0]).Contains(c.Split('-')[0])).Except(Held));

    /// <summary>The tests of the server are a project of their own.</summary>
    [GeneratedRegex(@"public (async Task|void) [A-Z]{2,3}_[0-9]{2}_")]
    private static partial Regex OtherTest();

    [GeneratedRegex("(?<![A-Z])([A-Z]{2,3}|K8S|S3)[_-]([0-9]{2})(?![0-9])")]
    private static partial Regex Id();
}
