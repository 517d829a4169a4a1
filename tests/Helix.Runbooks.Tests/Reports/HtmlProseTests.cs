using System.Net;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Helix.Runbooks.Reports;
using Xunit;

namespace Helix.Runbooks.Tests.Reports;

public sealed class HtmlProseTests
{
    [Theory]
    [InlineData("Go on?", "<p>Go on?</p>")]
    [InlineData("One\ntwo\n\nthree", "<p>One\ntwo</p><p>three</p>")]
    [InlineData("# Stop it\nNow.", "<h3>Stop it</h3><p>Now.</p>")]
    [InlineData("Do:\n- one\n- two\n  and more\nThen go.", "<p>Do:</p><ul><li><span>one</span></li><li><span>two\nand more</span></li></ul><p>Then go.</p>")]
    [InlineData("1. one\n   - deep\n3) three", "<ol><li value=\"1\"><span>one</span><ul><li><span>deep</span></li></ul></li><li value=\"3\"><span>three</span></li></ol>")]
    [InlineData("- a\n\n- b\n1. c", "<ul><li><span>a</span></li><li><span>b</span></li></ul><ol><li value=\"1\"><span>c</span></li></ol>")]
    [InlineData("a **bold `c` word** and `**code**`", "<p>a <b>bold <code>c</code> word</b> and <code>**code**</code></p>")]
    [InlineData("- run:\n  ```sh\n  echo <x>\n    # **y**\n  ```\n- end", "<ul><li><span>run:</span><pre><code>echo &lt;x&gt;\n  # **y**\n</code></pre></li><li><span>end</span></li></ul>")]
    [InlineData("rm *.rdb **/x ** 2*3 #5 -x ` _a_", "<p>rm *.rdb **/x ** 2*3 #5 -x ` _a_</p>")]
    [InlineData("``` rm -rf\nx\n```", "<p>``` rm -rf\nx\n```</p>")]
    [InlineData("```\nnever closed", "<p>```\nnever closed</p>")]
    [InlineData("<script>alert(1)</script> **<b>**", "<p>&lt;script&gt;alert(1)&lt;/script&gt; <b>&lt;b&gt;</b></p>")]
    [InlineData("[Approve](javascript:x) ![](http://x/y.png) <http://x>\n[x]: http://x", "<p>[Approve](javascript:x) ![](http://x/y.png) &lt;http://x&gt;\n[x]: http://x</p>")]
    [InlineData("", "")]
    public void The_marks_that_runbooks_use_become_html_and_all_else_stays_text(string text, string expected) =>
        Assert.Equal(expected, Regex.Replace(HtmlProse.Of(text), @"(?<=>)\n(?=<)", ""));

    /// <summary>Whatever a step has put into the text: it is well formed, has only these elements, and no word is dropped.</summary>
    [Fact]
    public void Nothing_in_a_text_becomes_another_element_and_nothing_is_lost()
    {
        string[] pieces = ["- ", "  ", "1. ", "\n", "\n\n", "# ", "**", "`", "```", "```\n", "<a href='x'>", "</li>", "&lt;", "\"", "word", " ", "[x](y)", "*", "\\", "    + "];
        string[] elements = ["p", "h3", "ul", "ol", "li", "span", "pre", "code", "b"];
        var random = new Random(11);
        for (var i = 0; i < 5000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(30)).Select(_ => pieces[random.Next(pieces.Length)]));
            var html = HtmlProse.Of(text);
            var all = XElement.Parse($"<div>{html}</div>").Descendants().ToList();
            Assert.All(all, e => Assert.Contains(e.Name.LocalName, elements));
            Assert.All(all.SelectMany(e => e.Attributes()), a => Assert.Equal("value", a.Name.LocalName));
            Assert.Equal(Bare(text), Bare(WebUtility.HtmlDecode(Regex.Replace(html, "<[^>]*>", ""))));
        }
    }

    /// <summary>Without the marks, and the numbers of lists.</summary>
    static string Bare(string text) => Regex.Replace(text, @"[\s#*`+.1-]", "");
}
