namespace Helix.Runbooks.Tests;

/// <summary>
/// The programs that tests start as processes of their own. tests/run.sh publishes them compiled, as users have them: a thousand starts then cost a third.
/// Without it they are those of the build.
/// </summary>
static class Programs
{
    static readonly string? Published = System.Environment.GetEnvironmentVariable("HELIX_TEST_PROGRAMS");

    public static string Helix => Path.Combine(Published ?? AppContext.BaseDirectory, "helix");
    public static string HelixDll => Helix + ".dll";

    /// <summary>Plays tools, servers and drivers.</summary>
    public static string FakeTool
    {
        get
        {
            // tests/Helix.Runbooks.Tests/bin/Debug/net10.0 → tests/FakeTool/bin/Debug/net10.0
            var file = Path.Combine(Published ?? AppContext.BaseDirectory.Replace("Helix.Runbooks.Tests", "FakeTool", StringComparison.Ordinal), "FakeTool");
            return File.Exists(file) ? file : throw new InvalidOperationException($"Build tests/FakeTool: there is no {file}.");
        }
    }
}
