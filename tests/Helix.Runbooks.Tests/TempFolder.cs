using System.Diagnostics;

namespace Helix.Runbooks.Tests;

/// <summary>Folders of tests.</summary>
static class TempFolder
{
    static readonly ManualResetEvent Never = new(false);
    static readonly TimeSpan Again = TimeSpan.FromMilliseconds(10);

    /// <summary>Removes a folder with all that is in it, also while a process that was told to end, or another server of the same store, still writes there.</summary>
    public static void Delete(string path)
    {
        var watch = Stopwatch.StartNew();
        while (true)
            try
            {
                Directory.Delete(path, recursive: true);
                return;
            }
            catch (IOException e) when (e is not DirectoryNotFoundException && watch.Elapsed < Hang.Limit)
            {
                // Something was put into it, or removed from it, after it was listed.
                Never.WaitOne(Again);
            }
            catch (DirectoryNotFoundException) when (Directory.Exists(path) && watch.Elapsed < Hang.Limit)
            {
                Never.WaitOne(Again);
            }
    }
}
