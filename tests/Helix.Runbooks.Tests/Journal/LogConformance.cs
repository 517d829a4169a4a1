using System.Text;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Tests.Postgres;
using Xunit;
using static Helix.Runbooks.Tests.Journal.StoreFixture;

namespace Helix.Runbooks.Tests.Journal;

public abstract class LogConformance : IDisposable
{
    readonly StoreFixture _fixture;
    JournalStore Store => _fixture.Store;

    protected LogConformance(PostgresServer? server)
    {
        _fixture = new(server);
        Store.Create("r1", Started(), DriverOf(1));
    }

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void Lines_come_back_in_order_by_run_by_step_and_after_a_place()
    {
        Store.Log("r1", [Line("a", "1"), Line("b", "2"), Line("a", "3 \0 ü")]);
        Store.Log("r1", [Line("b", "4")]);

        var all = Store.Logs("r1");
        Assert.Equal(["1", "3 \uFFFD ü"], Store.Logs("r1", "a").Select(l => l.Text));
        Assert.Equal(["2", "4"], Store.Logs("r1", "b").Select(l => l.Text));
        Assert.Equal(4, all.Count);
        Assert.Equal(all.Skip(2), Store.Logs("r1", after: all[1].Sequence));
        Assert.Equal(all.Take(1), Store.Logs("r1", limit: 1));
        Assert.Equal((Start, 1, "stdout"), (all[0].At, all[0].Attempt, all[0].Stream));
        Assert.Equal(all, _fixture.Other().Logs("r1"));
    }

    [Fact]
    public void Over_the_limit_head_and_tail_are_kept_and_the_cut_is_named()
    {
        Store.LogLimit = 100_000;
        var lines = Enumerable.Range(0, 20_000).Select(i => Line("flood", $"line {i:00000}")).ToList();
        foreach (var batch in lines.Chunk(130))
            Store.Log("r1", batch);
        Store.Log("r1", [Line("calm", "untouched")]);

        var kept = Store.Logs("r1", "flood", limit: 100_000);
        Assert.Equal("line 00000", kept[0].Text);
        Assert.Equal("line 19999", kept[^1].Text);
        var size = kept.Sum(l => Encoding.UTF8.GetByteCount(l.Text) + 1);
        Assert.InRange(size, 80_000, 101_000);
        var cut = Assert.Single(kept, l => l.Stream == "cut");
        var missing = 20_000 - (kept.Count - 1);
        Assert.StartsWith($"… {missing * 11} bytes ({missing} lines) were cut here", cut.Text, StringComparison.Ordinal);

        var place = kept.ToList().IndexOf(cut);
        Assert.Equal(Enumerable.Range(0, place), kept.Take(place).Select(Number));
        Assert.Equal(Enumerable.Range(place + missing, kept.Count - 1 - place), kept.Skip(place + 1).Select(Number));
        Assert.Single(Store.Logs("r1", "calm"));

        static int Number(LogLine line) => int.Parse(line.Text[5..]);
    }

    [Fact]
    public void One_endless_line_keeps_both_its_ends()
    {
        Store.LogLimit = 80_000;
        Store.Log("r1", [Line("a", "begin" + new string('é', 500_000) + "end"), Line("a", "next")]);
        var text = Store.Logs("r1", "a")[0].Text;
        Assert.InRange(Encoding.UTF8.GetByteCount(text), 1_000, 11_000);
        Assert.StartsWith("beginé", text, StringComparison.Ordinal);
        Assert.EndsWith("éend", text, StringComparison.Ordinal);
        Assert.Contains("bytes of this line were cut", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_of_characters_outside_the_basic_plane_is_not_cut_within_one()
    {
        Store.LogLimit = 80_000;
        Store.Log("r1", [Line("a", string.Concat(Enumerable.Repeat("😀", 50_000)) + "x")]);
        Assert.DoesNotContain('\uFFFD', Store.Logs("r1", "a")[0].Text);
    }

    [Fact]
    public void Logs_are_no_part_of_the_chain()
    {
        var head = Store.Runs()[0].Head;
        Store.Log("r1", [Line("a", "x")]);
        Assert.Equal(head, Store.Runs()[0].Head);
        Assert.Empty(Store.Verify("r1", head));
    }

    [Fact]
    public void Bytes_are_kept_once_under_their_digest()
    {
        var sha256 = Store.Keep([1, 2, 3]);
        Assert.Equal(sha256, Store.Keep([1, 2, 3]));
        Assert.Equal("039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81", sha256);
        Assert.Equal([1, 2, 3], _fixture.Other().Kept(sha256));
        Assert.Empty(Store.Kept(Store.Keep([]))!);
        Assert.Null(Store.Kept("nothing"));
    }

    static LogLine Line(string path, string text) => new(0, Start, path, 1, "stdout", text);
}
