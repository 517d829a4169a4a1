using System.Runtime.InteropServices;

namespace Helix.Steps.Files;

enum FileType { Other, File, Folder, Link, Pipe, Socket, Device }

/// <summary>What the kernel says of a name, links not followed.</summary>
sealed record FileStat
{
    public required FileType Type { get; init; }
    public required UnixFileMode Mode { get; init; }
    public required int Uid { get; init; }
    public required int Gid { get; init; }
    public required long Size { get; init; }

    /// <summary>Bytes that the disk really holds; less than the size in a sparse file.</summary>
    public required long Allocated { get; init; }
    public required DateTimeOffset Modified { get; init; }

    /// <summary>Change of content or of owner and mode, in the kernel's own ticks; cannot be set back by a program.</summary>
    public required (long Seconds, uint Nanoseconds) Changed { get; init; }
    public required ulong Inode { get; init; }

    /// <returns>Null when there is no such name.</returns>
    /// <exception cref="UnauthorizedAccessException">A folder on the way may not be entered.</exception>
    public static FileStat? Of(string path)
    {
        if (Statx(CurrentFolder, path, NoFollow, Basic, out var s) == 0)
            return From(s);
        return Marshal.GetLastPInvokeError() switch
        {
            NoEntry or NotAFolder => null,
            NoAccess => throw new UnauthorizedAccessException($"{path} may not be looked at."),
            var error => throw new IOException($"{path}: {Marshal.GetPInvokeErrorMessage(error)}", error),
        };
    }

    /// <summary>Nobody wrote to it between the two looks.</summary>
    public bool IsSameAs(FileStat other) => (Inode, Size, Changed) == (other.Inode, other.Size, other.Changed);

    static FileStat From(in StatxBuffer s) => new()
    {
        Type = (s.Mode & 0xF000) switch
        {
            0x8000 => FileType.File,
            0x4000 => FileType.Folder,
            0xA000 => FileType.Link,
            0x1000 => FileType.Pipe,
            0xC000 => FileType.Socket,
            0x2000 or 0x6000 => FileType.Device,
            _ => FileType.Other,
        },
        Mode = (UnixFileMode)(s.Mode & 0xFFF),
        Uid = (int)s.Uid,
        Gid = (int)s.Gid,
        Size = (long)s.Size,
        Allocated = (long)s.Blocks * 512,
        Modified = DateTimeOffset.FromUnixTimeSeconds(s.ModifiedSeconds).AddTicks(s.ModifiedNanoseconds / 100),
        Changed = (s.ChangedSeconds, s.ChangedNanoseconds),
        Inode = s.Inode,
    };

    const int CurrentFolder = -100, NoFollow = 0x100, NoEntry = 2, NoAccess = 13, NotAFolder = 20;
    const uint Basic = 0x7FF;

    [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    static extern int Statx(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, out StatxBuffer buffer);

    /// <summary>The same on every architecture, which <c>struct stat</c> is not.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    struct StatxBuffer
    {
        [FieldOffset(20)] public uint Uid;
        [FieldOffset(24)] public uint Gid;
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(40)] public ulong Size;
        [FieldOffset(48)] public ulong Blocks;
        [FieldOffset(96)] public long ChangedSeconds;
        [FieldOffset(104)] public uint ChangedNanoseconds;
        [FieldOffset(112)] public long ModifiedSeconds;
        [FieldOffset(120)] public uint ModifiedNanoseconds;
    }
}
