using System.Text;
using CsCheck;
using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Expressions;

namespace Helix.Runbooks.Tests.Language;

public sealed class FuzzTests
{
    static readonly byte[][] Seeds = [.. CaseTests.Names.Select(n => Encoding.UTF8.GetBytes(CaseTests.Read(n.Data).Document))];

    static readonly string[] Pieces =
    [
        "{{", "}}", "{{ inputs.a }}", ": ", "- ", "\n", "\n  ", "\t", "[", "]", "{", "}", "\"", "'", "|", ">", "&a ", "*a", "!!str ", "<<: ", "#", " #", "? ", "%YAML 1.2\n", "---\n", "...\n",
        "null", "~", "yes", "0123", "1:30", "5.26", "é", "\u2028", "\uFEFF", "\0", "\\U00110000", "\"\\UFFFFFFFF\"", "steps:", "uses: runbook", "{%{", "}%}", "(((((", "steps.a.b", "??", "9999999999999999999999",
    ];

    static ReadResult<Runbook> Read(byte[] bytes)
    {
        var result = Sample.Read(bytes);
        Assert.True(result.HasErrors != (result.Value is not null));
        Assert.All(result.Problems, p => Assert.True(p.Position.Line >= 1 && p.Position.Column >= 1 && p.Message.Length > 0));
        Assert.Equal(result.Problems, result.Problems.OrderBy(p => p.Position.File != "sample.yaml").ThenBy(p => p.Position.File, StringComparer.Ordinal).ThenBy(p => p.Position.Line).ThenBy(p => p.Position.Column));
        return result;
    }

    [Fact]
    public void Random_bytes_end_in_problems() =>
        Gen.Byte.Array[0, 400].Sample(bytes => { Read(bytes); new EnvironmentReader(Sample.Catalog).Read("e.yaml", bytes); }, iter: 1_000);

    [Fact]
    public void Random_pieces_of_the_language_end_in_problems() =>
        Pick.Of(Pieces).Array[0, 60].Sample(pieces => { Read(Encoding.UTF8.GetBytes(string.Concat(pieces))); }, iter: 1_000);

    [Fact]
    public void A_mutated_runbook_ends_in_problems_or_a_runbook() =>
        Gen.Select(Pick.Of(Seeds), Gen.Select(Gen.Double[0, 1], Gen.Int[0, 12], Pick.Of(Pieces)).Array[1, 4]).Sample((seed, edits) =>
        {
            var text = Encoding.UTF8.GetString(seed);
            foreach (var (where, cut, piece) in edits)
            {
                var at = (int)(where * text.Length);
                text = text[..at] + piece + text[Math.Min(text.Length, at + cut)..];
            }
            Read(Encoding.UTF8.GetBytes(text));
            Sample.ReadEnvironment(text);
        }, iter: 1_500);

    static readonly string[] Words =
    [
        "steps.a.b", "inputs.a", "vars", "'x'", "\"", "'", "1", "5.26", "1:30", "true", "null", ".", "..", ",", "(", ")", "[", "]", "{", "}", "|", "??", "?", ":", "!", "-", "==", "&&", "string.upcase", "array.join",
        "math.plus", "f()", "if", "end", "func", "=", "%", "{%", "%}", "#", "@", "^", "$", "\\", "\n", "é", "{{", "}}", " ",
    ];

    [Fact]
    public void Random_expressions_end_in_a_fault_with_its_place_or_an_expression() =>
        Gen.Select(Pick.Of(Words).Array[0, 12], Pick.Of("", " "), Pick.Of("", " }}")).Sample((words, between, end) => Parse("a {{" + string.Join(between, words) + end), iter: 20_000);

    [Theory]
    [InlineData("a-{{f() x y")]
    [InlineData("{{ f() true }}")]
    public void A_call_with_brackets_is_a_fault_that_says_how_it_is_written(string text) => Assert.Equal("What is called here has no name.", Parse(text)?.Message);

    static TemplateFault? Parse(string text)
    {
        var fault = ParsedTemplate.Of(text).Fault;
        Assert.True(fault is null || fault.Offset >= 0 && fault.Offset <= text.Length && fault.Message.Length > 0);
        return fault;
    }

    public static TheoryData<string, string> Bombs => new()
    {
        { "brackets", new string('[', 100_000) },
        { "braces", string.Concat(Enumerable.Repeat("{a: ", 100_000)) },
        { "hyphens", string.Concat(Enumerable.Repeat("- ", 100_000)) },
        { "question marks", string.Concat(Enumerable.Repeat("? ", 100_000)) },
        { "aliases", "a: &a [x, x, x, x, x, x, x, x, x]\n" + string.Concat(Enumerable.Range('b', 9).Select(c => $"{(char)c}: &{(char)c} [{string.Join(", ", Enumerable.Repeat($"*{(char)(c - 1)}", 9))}]\n")) },
        { "an expression of brackets", "title: x\noutputs: { a: \"{{ " + new string('(', 100_000) + "\" }" },
        { "a long sum", "title: x\noutputs: { a: \"{{ " + string.Concat(Enumerable.Repeat("1 + ", 100_000)) + "1 }}\" }" },
        { "many expressions", "title: x\noutputs: { a: \"" + string.Concat(Enumerable.Repeat("{{ x.y }}", 50_000)) + "\" }" },
        { "many tabs", string.Concat(Enumerable.Repeat("\t", 300_000)) },
        { "many keys", string.Concat(Enumerable.Range(0, 20_000).Select(i => $"k{i}: 1\n")) },
        { "one line", new string('x', 1_000_000) },
        { "quotes", new string('"', 500_000) },
        { "a script of saves", "steps: [{ id: a, uses: shell.run, with: { script: \"" + string.Concat(Enumerable.Repeat("save ", 150_000)) + "\" } }]" },
        { "many blanks", "steps: [{ id: a, uses: shell.run, with: { script: \"save" + new string(' ', 800_000) + "CALL" + new string(' ', 100_000) + "\" } }]" },
        { "too large", new string('x', 2_000_000) },
    };

    [Theory, MemberData(nameof(Bombs))]
    public void YML_06_a_bomb_is_refused_at_once(string what, string text)
    {
        Assert.NotEmpty(what);
        var bytes = Encoding.UTF8.GetBytes("apiVersion: helix.runbooks/v1\n" + text);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var start = ThreadClock.Now();
        Assert.True(Read(bytes).HasErrors);
        Assert.InRange((ThreadClock.Now() - start).TotalSeconds, 0, 2);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256L << 20);
    }

    [Fact]
    public void Reading_a_runbook_of_500_steps_takes_no_time()
    {
        var text = new StringBuilder("apiVersion: helix.runbooks/v1\nname: sample\ntitle: Many\ninputs: { name: { type: string, required: true } }\nsteps:\n  - { id: s0, uses: sample.read, with: { target: db } }\n");
        for (var i = 1; i < 500; i++)
            text.Append($"  - id: s{i}\n    uses: sample.read\n    when: \"{{{{ steps.s0.fresh }}}}\"\n    timeout: 10m\n    with:\n      target: db\n      text: \"{{{{ steps.s0.file }}}} {{{{ inputs.name | string.upcase }}}} {i}\"\n      environment: {{ A: \"{{{{ run.work }}}}\", B: b }}\n");
        var bytes = Encoding.UTF8.GetBytes(text.ToString());
        Assert.Empty(Read(bytes).Problems);
        var best = Enumerable.Range(0, 10).Min(_ =>
        {
            var start = ThreadClock.Now();
            Sample.Read(bytes);
            return (ThreadClock.Now() - start).TotalMilliseconds;
        });
        TestContext.Current.TestOutputHelper?.WriteLine($"{best:0} ms");
        Assert.InRange(best, 0, 150);
    }
}
