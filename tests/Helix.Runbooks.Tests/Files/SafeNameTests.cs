using Helix.Steps.Files;

namespace Helix.Runbooks.Tests.Files;

/// <summary>A later round of a run makes its safety copies beside those of the rounds before.</summary>
public sealed class SafeNameTests : IDisposable
{
    readonly TestHost _host = new();

    [Theory]
    [InlineData("redis-before.rdb", "redis-before-2.rdb")]
    [InlineData("neo4j_data-before.tar.zst", "neo4j_data-before-2.tar.zst")]
    [InlineData("config-before.tar", "config-before-2.tar")]
    public void In_the_folder_of_safety_copies_the_name_is_free(string name, string second)
    {
        var context = _host.Context();
        var path = Path.Combine(_host.Safe, name);
        Directory.CreateDirectory(_host.Safe);
        Assert.Equal(path, LocalFile.For(path, context));
        File.WriteAllText(path, "first");
        Assert.Equal(Path.Combine(_host.Safe, second), LocalFile.For(path, context));
    }

    [Fact]
    public void Elsewhere_a_file_is_written_anew()
    {
        var path = _host.Write("there", [1]);
        Assert.Equal(path, LocalFile.For(path, _host.Context()));
    }

    public void Dispose() => _host.Dispose();
}
