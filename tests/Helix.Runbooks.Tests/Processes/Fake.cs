using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Processes;

/// <summary>The dummy program as a tool.</summary>
static class Fake
{
    public static string Path { get; } = Find();

    public static Tool Tool(TestHost host, params IEnumerable<string> arguments) =>
        host.Context().Tool(Path, arguments);

    static string Find()
    {
        // tests/Helix.Runbooks.Tests/bin/Debug/net10.0 → tests/FakeTool/bin/Debug/net10.0
        var file = AppContext.BaseDirectory.Replace("Helix.Runbooks.Tests", "FakeTool", StringComparison.Ordinal) + "FakeTool";
        return File.Exists(file) ? file : throw new InvalidOperationException($"Build tests/FakeTool: there is no {file}.");
    }
}
