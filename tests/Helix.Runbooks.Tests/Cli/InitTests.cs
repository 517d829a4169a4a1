using Xunit;

namespace Helix.Runbooks.Tests.Cli;

public sealed class InitTests : IDisposable
{
    readonly HelixHere _helix = new();

    public void Dispose() => _helix.Dispose();

    [Fact]
    public async Task The_first_runbook_is_valid_and_recovers_what_it_loses()
    {
        var folder = Path.Combine(_helix.Folder, "recovery");
        Assert.Equal(0, await _helix.Run("init", folder));
        string[] first = [Path.Combine(folder, "first-restore.yaml"), "--environment", Path.Combine(folder, "environments", "here.yaml")];
        Assert.Equal(0, await _helix.Run(["validate", .. first]));
        Assert.DoesNotContain("warning", _helix.Out, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run(["plan", .. first]));
        Assert.Equal(0, await _helix.Run(["run", .. first], typed: "approve\n"));
        Assert.Contains("objectives met", _helix.Out, StringComparison.Ordinal);
        Assert.Equal("I am still here.\n", await File.ReadAllTextAsync(Path.Combine(folder, "notes", "hello.txt")));
    }

    [Fact]
    public async Task What_is_there_is_never_overwritten()
    {
        _helix.Write("first-restore.yaml", "mine");
        Assert.Equal(2, await _helix.Run("init", _helix.Folder));
        Assert.Contains("nothing was written", _helix.Error, StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(Path.Combine(_helix.Folder, "first-restore.yaml")));
        Assert.False(Directory.Exists(Path.Combine(_helix.Folder, "shelf")));
    }

    [Fact]
    public async Task Schemas_are_written_and_stale_ones_are_told_with_the_repair()
    {
        var folder = Path.Combine(_helix.Folder, "schema");
        Assert.Equal(1, await _helix.Run("schema", "--check", "--folder", folder));
        Assert.Contains("Hint: `helix schema`", _helix.Error, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run("schema", "--folder", folder));
        Assert.Equal(0, await _helix.Run("schema", "--check", "--folder", folder));
        await File.AppendAllTextAsync(Path.Combine(folder, "runbook.schema.json"), " ");
        Assert.Equal(1, await _helix.Run("schema", "--check", "--folder", folder));
        Assert.Equal(Path.Combine(folder, "runbook.schema.json"), _helix.Out.Trim());
    }

    [Theory]
    [InlineData("redis.save")]
    [InlineData("approval.expiresAfter")]
    [InlineData("objectives.rto")]
    [InlineData("expressions")]
    public async Task Explain_knows_steps_options_fields_and_expressions(string subject)
    {
        Assert.Equal(0, await _helix.Run("explain", subject));
        Assert.Contains(subject.Split('.')[^1], _helix.Out, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Explain_says_what_was_meant()
    {
        Assert.Equal(2, await _helix.Run("explain", "redis.sav"));
        Assert.Contains("redis.save", _helix.Error, StringComparison.Ordinal);
    }
}
