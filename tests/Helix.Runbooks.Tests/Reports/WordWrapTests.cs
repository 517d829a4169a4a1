using Helix.Runbooks.Reports;
using Xunit;

namespace Helix.Runbooks.Tests.Reports;

public sealed class WordWrapTests
{
    [Theory]
    [InlineData("ten chars", "ten chars")]
    [InlineData("a line that goes on for longer", "a line that|goes on for|longer")]
    [InlineData("exactly 12 c and more", "exactly 12 c|and more")]
    [InlineData("  indented text stays below", "  indented|  text stays|  below")]
    [InlineData("- one two three four", "- one two|  three four")]
    [InlineData("  2. one two three", "  2. one two|     three")]
    [InlineData("to:  group one, two", "to:  group|     one,|     two")]
    [InlineData("a https://example.com/of-one-word b", "a|https://example.com/of-one-word|b")]
    [InlineData("- https://example.com/of-one-word b", "- https://example.com/of-one-word|  b")]
    [InlineData("- https://example.com/of-one-word", "- https://example.com/of-one-word")]
    [InlineData("what is typed here: ", "what is|typed here: ")]
    [InlineData("what is typed: ", "what is|typed: ")]
    [InlineData("exactly 12 c ", "exactly 12 c ")]
    [InlineData("two||paragraphs of words", "two||paragraphs|of words")]
    [InlineData("```|a command that is pasted|```|and a text after it", "```|a command that is pasted|```|and a text|after it")]
    [InlineData("command: helix approve RUN go --resume", "command: helix approve RUN go --resume")]
    [InlineData("", "")]
    public void A_line_is_broken_between_words_and_goes_on_below_its_text(string text, string expected) =>
        Assert.Equal(expected, WordWrap.Text(text.Replace('|', '\n'), 12).Replace('\n', '|'));

    /// <summary>Whatever the text and the width: no word is lost or cut, and what could fit fits.</summary>
    [Fact]
    public void No_word_is_lost_and_no_line_is_too_long_that_could_be_shorter()
    {
        var random = new Random(7);
        for (var i = 0; i < 2000; i++)
        {
            var words = Enumerable.Range(0, random.Next(0, 12)).Select(_ => new string((char)('a' + random.Next(26)), random.Next(1, 15))).ToList();
            var text = new string(' ', random.Next(0, 8)) + (random.Next(3) == 0 ? "- " : "") + string.Join(' ', words);
            var width = random.Next(1, 40);
            var lines = WordWrap.Text(text, width).Split('\n');
            Assert.Equal(text.Split(' ', StringSplitOptions.RemoveEmptyEntries), lines.SelectMany(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
            Assert.All(lines, l => Assert.True(l.Length <= width || !l.Trim().TrimStart('-').Trim().Contains(' '), $"'{l}' is longer than {width}"));
        }
    }
}
