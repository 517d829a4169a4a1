using System.Text.Json;
using Helix.Runbooks.Model;
using Json.Schema;

namespace Helix.Runbooks.Tests.Language;

public sealed class GeneratedTests
{
    /// <summary>What a step type or target refuses about options together; generated options know nothing of that.</summary>
    static readonly string[] Together = ["one-of", "options", "load-of-unknown-file", "unknown-target", "on-reject", "unsure-step", "unknown-step"];

    static readonly JsonSchema RunbookSchema = JsonSchema.FromText(SchemaWriter.Runbook(GeneratedCases.Catalog));
    static readonly JsonSchema EnvironmentSchema = JsonSchema.FromText(SchemaWriter.Environment(GeneratedCases.Catalog));

    static readonly JsonSchema SampleRunbookSchema = JsonSchema.FromText(SchemaWriter.Runbook(Sample.Catalog));
    static readonly JsonSchema SampleEnvironmentSchema = JsonSchema.FromText(SchemaWriter.Environment(Sample.Catalog));

    [Fact]
    public void Every_option_of_every_step_type_and_target_is_refused_in_its_line_when_it_is_wrong()
    {
        var faults = new List<string>();
        Assert.True(GeneratedCases.All().Count() > 300);
        foreach (var made in GeneratedCases.All())
        {
            var (good, problems) = GeneratedCases.Read(made);
            var errors = problems.Where(p => p.Severity == Severity.Error && !Together.Contains(p.Rule)).ToList();
            if (made.What.EndsWith(": valid", StringComparison.Ordinal))
            {
                if (errors.Count > 0)
                    faults.Add($"{made}: should be accepted:\n{string.Join("\n", errors)}\n{made.Yaml}");
            }
            else if (errors.Count == 0)
                faults.Add($"{made}: should be refused\n{made.Yaml}");
            else if (made.Rule.Length > 0 && errors.All(e => e.Rule != made.Rule))
                faults.Add($"{made}: should be refused by {made.Rule}: {string.Join("\n", errors.Select(e => e.Rule + " " + e))}\n{made.Yaml}");
            else if (made.Line > 0 && errors.All(e => e.Position.Line != made.Line))
                faults.Add($"{made}: should be refused in line {made.Line}: {string.Join("\n", errors)}\n{made.Yaml}");
        }
        Assert.True(faults.Count == 0, $"{faults.Count} cases:\n\n{string.Join("\n\n", faults.Take(12))}");
    }

    [Fact]
    public void Schema_and_reader_say_the_same_of_every_generated_document()
    {
        var faults = new List<string>();
        foreach (var made in GeneratedCases.All())
        {
            var problems = GeneratedCases.Read(made).Problems.Where(p => p.Severity == Severity.Error && !Together.Contains(p.Rule)).ToList();
            var valid = Valid(made.IsEnvironment ? EnvironmentSchema : RunbookSchema, made.Yaml);
            if (valid != (problems.Count == 0))
                faults.Add($"{made}: the schema {(valid ? "accepts" : "refuses")} it, the reader does not agree: {string.Join(" ", problems)}\n{made.Yaml}");
        }
        Assert.True(faults.Count == 0, $"{faults.Count} cases:\n\n{string.Join("\n\n", faults.Take(12))}");
    }

    static bool Valid(JsonSchema schema, string yaml)
    {
        using var json = JsonDocument.Parse(GeneratedCases.Json(yaml)!.ToJsonString());
        return schema.Evaluate(json.RootElement).IsValid;
    }

    /// <summary>Rules that look at more than one value, at the text behind the value, or at other files; a schema cannot.</summary>
    static readonly HashSet<string> Unseen =
    [
        "name", "file-name", "duplicate-key", "duplicate-id", "anchor", "alias", "tag", "merge-key", "tab", "yaml", "several-documents", "empty", "unquoted-expression",
        "unknown-step", "later-step", "unsure-step", "parallel-step", "unknown-output", "unknown-member", "unknown-variable", "unknown-function", "arguments", "expression", "statement",
        "not-boolean", "secret-in-text", "fixed-option", "missing-file", "cycle", "sub-runbook", "unknown-target", "target-kind", "unknown-group", "on-reject", "options", "input-field",
        "pattern", "load-of-unknown-file", "no-template", "objective",
    ];

    [Theory, MemberData(nameof(CaseTests.Names), MemberType = typeof(CaseTests))]
    public void Schema_and_reader_agree_on_the_golden_cases(string name)
    {
        var (document, problems) = CaseTests.Read(name);
        if (GeneratedCases.Json(document) is null)
            return;
        var schema = name.StartsWith("environment", StringComparison.Ordinal)
            ? SampleEnvironmentSchema
            : SampleRunbookSchema;
        var errors = problems.Where(p => p.Severity == Severity.Error).ToList();
        if (!Valid(schema, document))
            Assert.True(errors.Count > 0, "The schema refuses what the reader accepts.");
        else
            Assert.DoesNotContain(errors, e => !Unseen.Contains(e.Rule) && !SeenOnlyByReader(e));
    }

    static bool SeenOnlyByReader(Problem problem) =>
        // Types of expressions; defaults of inputs against their type; a sub-runbook's file and inputs.
        problem.Message.Contains("and this ", StringComparison.Ordinal) || problem.Message.Contains(".default'", StringComparison.Ordinal) || problem.Message.Contains("sub.yaml", StringComparison.Ordinal)
        || problem.Position.File != "sample.yaml" && problem.Position.File != "/somewhere/environment.yaml";

    [Fact]
    public void Explain_has_words_for_every_name()
    {
        foreach (var name in Explain.Known(GeneratedCases.Catalog))
            Assert.NotEmpty(Explain.Of(GeneratedCases.Catalog, name));
        Assert.Contains("the answer needs", Explain.Of(GeneratedCases.Catalog, "approval.message"));
        Assert.Contains("Recovery time objective", Explain.Of(GeneratedCases.Catalog, "objectives.rto"));
        Assert.Contains("string.upcase", Explain.Of(GeneratedCases.Catalog, "expressions"));
        var unknown = Assert.Throws<Runbooks.Steps.RunbookException>(() => Explain.Of(GeneratedCases.Catalog, "sample.raed"));
        Assert.Contains("sample.read", unknown.Hint);
    }
}
