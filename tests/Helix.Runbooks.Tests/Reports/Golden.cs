using System.Runtime.CompilerServices;
using Xunit;

namespace Helix.Runbooks.Tests.Reports;

/// <summary>Compares text with the file beside the tests; HELIX_UPDATE_GOLDEN=1 writes it anew, for a look at the difference in git.</summary>
static class Golden
{
    public static void Equal(string name, string actual, [CallerFilePath] string here = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(here)!, "Golden", name);
        if (System.Environment.GetEnvironmentVariable("HELIX_UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, actual + "\n");
        Assert.True(File.Exists(path), $"{path} does not exist; run the test once with HELIX_UPDATE_GOLDEN=1 and read what it wrote.");
        Assert.Equal(File.ReadAllText(path), actual + "\n");
    }
}
