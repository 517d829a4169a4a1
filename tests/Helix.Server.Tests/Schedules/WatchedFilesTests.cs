using System.Runtime.InteropServices;
using Helix.Server.Schedules;

namespace Helix.Server.Tests.Schedules;

public sealed class WatchedFilesTests : IDisposable
{
    const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
    const int Nobody = 65534;

    readonly string _folder = Directory.CreateTempSubdirectory("helix-watched-").FullName;

    [Fact]
    public void A_folder_that_cannot_be_read_counts_as_empty_and_changes_beside_it_are_seen()
    {
        File.SetUnixFileMode(_folder, Mine | Others);
        File.WriteAllText(Path.Combine(_folder, "app.conf"), "one");
        var shut = Directory.CreateDirectory(Path.Combine(_folder, "shut"), Mine).FullName;
        File.WriteAllText(Path.Combine(shut, "key.conf"), "hidden");
        var open = Digest();
        var first = AsNobody(Digest);
        Assert.NotEqual(open, first);
        Assert.Equal(first, AsNobody(Digest));
        File.WriteAllText(Path.Combine(_folder, "app.conf"), "two");
        Assert.NotEqual(first, AsNobody(Digest));
    }

    string Digest() => WatchedFiles.Digest([_folder + "/**/*.conf"]);

    /// <summary>Permissions do not bind root, as whom the tests run; this thread alone gives that up for a moment.</summary>
    static string AsNobody(Func<string> work)
    {
        var before = setfsuid(Nobody);
        try
        {
            return work();
        }
        finally
        {
            _ = setfsuid(before);
        }
    }

    public void Dispose() => TempFolder.Delete(_folder);

    [DllImport("libc", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int setfsuid(int user);
}
