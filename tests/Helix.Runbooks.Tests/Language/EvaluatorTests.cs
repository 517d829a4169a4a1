using System.Globalization;
using System.Text.Json.Nodes;
using CsCheck;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Language;

public sealed class EvaluatorTests
{
    static readonly ExpressionScope Scope = new()
    {
        Inputs = new JsonObject { ["name"] = "Ada", ["count"] = 3, ["share"] = 0.5, ["flag"] = true, ["text"] = "false", ["none"] = null, ["list"] = new JsonArray("b", "a", "b") },
        Vars = new JsonObject { ["region"] = "eu" },
        Steps = new JsonObject
        {
            ["fetch"] = new JsonObject { ["status"] = "succeeded", ["started"] = true, ["succeeded"] = true, ["file"] = "/w/x", ["counts"] = new JsonObject { ["Persona"] = 50 }, ["recoveryPoint"] = "2026-03-01T02:00:00Z" },
            ["skipped"] = new JsonObject { ["status"] = "skipped", ["started"] = false, ["succeeded"] = false },
        },
        Run = new JsonObject { ["id"] = "r1", ["work"] = "/w" },
        Loop = new Dictionary<string, JsonNode?> { ["item"] = new JsonObject { ["id"] = 7 } },
    };

    static JsonNode Evaluate(string text) => TemplateEvaluator.Evaluate(new Template(text, new Position("f.yaml", 3, 5)), Scope);

    [Theory]
    [InlineData("no expression", "\"no expression\"")]
    [InlineData("{{ inputs.count }}", "3")]
    [InlineData("{{ steps.fetch.counts }}", "{\"Persona\":50}")]
    [InlineData("{{ steps.skipped.file ?? steps.fetch.file }}", "\"/w/x\"")]
    [InlineData("{{ inputs.none ?? 0 }}", "0")]
    [InlineData("{{ item.id }}", "7")]
    [InlineData("{{ inputs.list[1] }}", "\"a\"")]
    [InlineData("n={{ inputs.count }} f={{ inputs.flag }} s={{ inputs.share }}", "\"n=3 f=true s=0.5\"")]
    [InlineData("{{ inputs.count + 1 }}", "\"4\"")]
    [InlineData("{{ 7 // 2 }}{{ 7 / 2 }}{{ 6 / 2 }}{{ -7 // 2 }}", "\"33.53-4\"")]
    [InlineData("{{ inputs.name + \"!\" | string.upcase }}", "\"ADA!\"")]
    [InlineData("{{ inputs.list | array.sort | array.uniq | array.join \",\" }}", "\"a,b\"")]
    [InlineData("{{ steps.fetch.counts }}!", "\"{\\\"Persona\\\":50}!\"")]
    [InlineData("{%{ {{.Names}} }%}", "\" {{.Names}} \"")]
    [InlineData("{{ steps.fetch.recoveryPoint < \"2026-03-01T03:00:00+02:00\" }}", "\"false\"")]
    [InlineData("{{ \"90m\" == \"1h30m\" }}", "\"true\"")]
    [InlineData("{{ inputs.none == null ? \"unset\" : \"set\" }}", "\"unset\"")]
    public void An_expression_has_this_value(string text, string json) => Assert.Equal(json, Evaluate(text).ToJsonString(StepJson.Options));

    [Theory]
    [InlineData("{{ nothing.there }}", "There is no 'nothing'")]
    [InlineData("{{ inputs.nothing }}", "has no value")]
    [InlineData("a {{ inputs.none }}", "has no value")]
    [InlineData("{{ inputs.none | string.upcase }}", "has no value")]
    [InlineData("{{ steps.skipped.file }}", "has no value")]
    [InlineData("{{ 1 / 0 }}", "divides by zero")]
    [InlineData("{{ 1 % 0 }}", "divides by zero")]
    [InlineData("{{ 1.0e308 * 10 }}", "too large")]
    [InlineData("{{ inputs.name - 1 }}", "has no meaning")]
    [InlineData("{{ inputs.text && true }}", "must be true or false")]
    [InlineData("{{ inputs.list[9] }}", "none with number 9")]
    [InlineData("{{ inputs.name.size }}", "is text and has no 'size'")]
    [InlineData("{{ inputs.name | string.pad_left 100000000 }}", "from 0 to 1000")]
    [InlineData("{{ inputs.name | date.parse }}", "no function 'date.parse'")]
    public void An_expression_without_a_value_fails_with_its_place(string text, string why)
    {
        var refused = Assert.Throws<RunbookException>(() => Evaluate(text));
        Assert.Contains(why, refused.Message);
        Assert.Contains("f.yaml:3:5", refused.Message);
    }

    [Theory]
    [InlineData("{{ inputs.flag }}", true)]
    [InlineData("{{ inputs.text }}", false)]
    [InlineData("{{ !steps.fetch.succeeded }}", false)]
    [InlineData("{{ steps.skipped.started || steps.fetch.status == \"succeeded\" }}", true)]
    public void TPL_03_a_condition_is_true_or_false(string text, bool holds) =>
        Assert.Equal(holds, TemplateEvaluator.EvaluateCondition(new Template(text, Position.None), Scope));

    [Theory]
    [InlineData("{{ inputs.name }}")]
    [InlineData("{{ inputs.count }}")]
    [InlineData("{{ inputs.list }}")]
    [InlineData("{{ inputs.none }}")]
    [InlineData("{{ \"\" }}")]
    [InlineData("{{ \"no\" }}")]
    [InlineData("{{ \"0\" }}")]
    [InlineData("{{ \"True\" }}")]
    public void TPL_03_nothing_else_counts_as_true_or_false(string text) =>
        Assert.Throws<RunbookException>(() => TemplateEvaluator.EvaluateCondition(new Template(text, Position.None), Scope));

    [Fact]
    public void Options_are_resolved_with_the_types_that_they_need()
    {
        var with = JsonNode.Parse("""{ "target": "db", "text": "{{ inputs.count }}", "count": "{{ inputs.count + 1 }}", "flag": "{{ inputs.count > 2 }}", "arguments": ["{{ inputs.flag }}", "b"], "counts": "{{ steps.fetch.counts }}" }""")!.AsObject();
        var resolved = TemplateEvaluator.Resolve(with, Scope, typeof(SampleOptions), _ => Position.None);
        var bound = (SampleOptions)StepJson.Bind(resolved, typeof(SampleOptions));
        Assert.Equal("3", bound.Text);
        Assert.Equal(4, bound.Count);
        Assert.True(bound.Flag);
        Assert.Equal(["true", "b"], bound.Arguments);
        Assert.Equal(50, bound.Counts!["Persona"]);
    }

    [Fact]
    public void A_list_is_an_expression_or_as_written()
    {
        Assert.Equal(3, TemplateEvaluator.EvaluateList(new Template("{{ inputs.list }}", Position.None), Scope).Count);
        Assert.Equal("[\"Ada\",1]", TemplateEvaluator.EvaluateList(new Template("[\"{{ inputs.name }}\",1]", Position.None), Scope).ToJsonString());
        Assert.Throws<RunbookException>(() => TemplateEvaluator.EvaluateList(new Template("{{ inputs.name }}", Position.None), Scope));
    }

    static readonly Gen<string> Atoms = Pick.Of("inputs.name", "inputs.count", "inputs.none", "inputs.list", "steps.fetch.file", "steps.skipped.file", "item.id", "1", "0", "-2", "1.5", "1e300", "\"x\"", "true", "null", "run.gone", "[1, 2]");
    static readonly Gen<string> Expressions = Gen.Recursive<string>((depth, inner) => depth > 4 ? Atoms : Gen.OneOf(
        Atoms,
        Gen.Select(inner, Pick.Of("+", "-", "*", "/", "//", "%", "==", "<", "&&", "||", "??"), inner, (a, o, b) => $"({a} {o} {b})"),
        inner.Select(a => $"!{a}"),
        Gen.Select(inner, inner, inner, (a, b, c) => $"({a} ? {b} : {c})"),
        Gen.Select(inner, Pick.Of("string.upcase", "string.size", "array.first", "array.sort", "math.round", "string.to_int"), (a, f) => $"({a} | {f})")));

    [Fact]
    public void Any_expression_has_a_finite_value_or_is_refused() =>
        Expressions.Sample(text =>
        {
            try
            {
                var value = Evaluate("{{ " + text + " }}");
                Assert.NotNull(value);
                Assert.DoesNotContain("Infinity", value.ToJsonString());
                Assert.DoesNotContain("NaN", value.ToJsonString());
            }
            catch (RunbookException refused)
            {
                Assert.StartsWith("f.yaml:3:5", refused.Message);
            }
        }, iter: 3_000);

    [Fact]
    public void Sums_of_whole_numbers_are_exact() =>
        Gen.Select(Gen.Long, Gen.Long).Sample((a, b) =>
        {
            var scope = new ExpressionScope { Inputs = new JsonObject { ["a"] = a, ["b"] = b } };
            string Of(string sign) => TemplateEvaluator.Evaluate(new Template($"{{{{ inputs.a {sign} inputs.b }}}}", Position.None), scope).ToString();
            Int128 sum = (Int128)a + b;
            if (sum >= long.MinValue && sum <= long.MaxValue)
                Assert.Equal(((long)sum).ToString(CultureInfo.InvariantCulture), Of("+"));
            Assert.Equal(a < b ? "true" : "false", Of("<"));
            Assert.Equal(a == b ? "true" : "false", Of("=="));
        });

    [Fact]
    public void A_path_keeps_any_value_as_it_is() =>
        Gen.OneOf(Gen.Long.Select(n => (JsonNode)n), Gen.Bool.Select(b => (JsonNode)b), Gen.String.Select(s => (JsonNode)s), Gen.Int.Array[0, 3].Select(a => (JsonNode)new JsonArray([.. a.Select(i => (JsonNode)i)])))
            .Sample(value =>
            {
                var scope = new ExpressionScope { Inputs = new JsonObject { ["a"] = value.DeepClone() } };
                return JsonNode.DeepEquals(value, TemplateEvaluator.Evaluate(new Template("{{ inputs.a }}", Position.None), scope))
                    && JsonNode.DeepEquals(value, TemplateEvaluator.Evaluate(new Template("{{ inputs.gone ?? inputs.a }}", Position.None), scope));
            });
}
