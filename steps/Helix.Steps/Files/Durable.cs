using System.Runtime.InteropServices;

namespace Helix.Steps.Files;

/// <summary>Makes what was written survive a power cut.</summary>
static class Durable
{
    /// <summary>Gives a finished file its final name: content, name and folder are on disk when this returns.</summary>
    public static void Rename(string from, string to)
    {
        File.Move(from, to, overwrite: true);
        SyncFolder(Path.GetDirectoryName(to)!);
    }

    /// <summary>Moves a link itself, over a file or link that is there. .NET's own move finds no file where a link leads to a folder.</summary>
    public static void MoveLink(string from, string to)
    {
        if (RenameName(from, to) == 0)
            return;
        if (Marshal.GetLastPInvokeError() != OtherDisk)
            throw Fault($"The link {from} cannot be moved to {to}");
        File.Delete(to);
        File.CreateSymbolicLink(to, new FileInfo(from).LinkTarget!);
        File.Delete(from);
    }

    /// <summary>Creates a folder and its missing parents so that they are still there after a power cut.</summary>
    public static void CreateFolder(string path)
    {
        if (Directory.Exists(path))
            return;
        var parent = Path.GetDirectoryName(path)!;
        CreateFolder(parent);
        Directory.CreateDirectory(path);
        SyncFolder(parent);
    }

    public static void SyncFolder(string path)
    {
        // .NET opens no folders, and a rename is durable only once its folder is synced.
        var handle = Open(path, CloseOnExec, 0);
        if (handle < 0)
            throw Fault($"The folder {path} does not open");
        try
        {
            if (Sync(handle) != 0)
                throw Fault($"The folder {path} does not sync");
        }
        finally
        {
            _ = Close(handle);
        }
    }

    static IOException Fault(string what)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{what}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    const int CloseOnExec = 0x80000, OtherDisk = 18;

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, int mode);

    [DllImport("libc", EntryPoint = "rename", SetLastError = true)]
    static extern int RenameName([MarshalAs(UnmanagedType.LPUTF8Str)] string from, [MarshalAs(UnmanagedType.LPUTF8Str)] string to);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    static extern int Sync(int handle);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    static extern int Close(int handle);
}
