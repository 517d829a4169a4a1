using System.Formats.Tar;
using System.Runtime.InteropServices;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Files;

/// <summary>Unpacks into an empty folder. Links are made last, so that nothing is ever written through one.</summary>
sealed class TarReading(string archive, string folder, bool keepOwner, bool skipLinksOutside, CancellationToken cancelled)
{
    const UnixFileMode Permissions = (UnixFileMode)0b111_111_111;
    const int Hole = 1 << 16;

    readonly List<(string Path, Header Entry)> _folders = [];
    readonly List<(string Name, string Target, Header Entry)> _links = [];

    /// <summary>What the header says, kept for when owner, mode and time can be set.</summary>
    sealed record Header(UnixFileMode Mode, int Uid, int Gid, DateTimeOffset Modified);

    public int Entries { get; private set; }
    public long Bytes { get; private set; }
    public List<string> Skipped { get; } = [];
    public Action<long> Progress { get; init; } = _ => { };

    /// <exception cref="StepFailedException">Cut off or damaged, or something in it would lie outside the folder.</exception>
    public async Task Read(Stream from)
    {
        await using var reader = new TarReader(from, leaveOpen: true);
        while (await Next(reader) is { } entry)
        {
            Entries++;
            await Take(entry);
        }
        CheckParents();
        foreach (var (name, target, about) in _links)
            MakeLink(name, target, about);
        CheckLinks();
        foreach (var (path, about) in _folders.AsEnumerable().Reverse())
            Finish(path, about);
    }

    async Task<TarEntry?> Next(TarReader reader)
    {
        try
        {
            return await reader.Next(cancelled);
        }
        catch (Exception e) when (Compressions.IsFault(e))
        {
            throw Damaged(e);
        }
    }

    async Task Take(TarEntry entry)
    {
        var name = Inside(entry.Name);
        var about = new Header(entry.Mode, entry.Uid, entry.Gid, entry.ModificationTime);
        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                Directory.CreateDirectory(PathOf(name));
                _folders.Add((PathOf(name), about));
                break;
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                await WriteFile(PathOf(name), entry.DataStream, entry.Length);
                Finish(PathOf(name), about);
                break;
            case TarEntryType.HardLink:
                CopyLinked(entry, name);
                Finish(PathOf(name), about);
                break;
            case TarEntryType.SymbolicLink:
                _links.Add((name, entry.LinkName, about));
                break;
            case TarEntryType.GlobalExtendedAttributes:
                break;
            default:
                throw Refused(entry.Name, $"it is a {entry.EntryType}");
        }
    }

    async Task WriteFile(string path, Stream? content, long length)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 0, FileOptions.Asynchronous);
        if (content is null)
            return;
        var buffer = new byte[1 << 20];
        long at = 0;
        try
        {
            for (int read; (read = await content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancelled)) > 0; at += read)
            {
                await WriteSparsely(file, buffer.AsMemory(0, read));
                Progress(Bytes += read);
            }
        }
        catch (Exception e) when (Compressions.IsFault(e))
        {
            throw Damaged(e);
        }
        if (at != length)
            throw Damaged(null);
        file.SetLength(length);
        file.Flush(flushToDisk: true);
    }

    async Task WriteSparsely(FileStream file, ReadOnlyMemory<byte> bytes)
    {
        for (var at = 0; at < bytes.Length; at += Hole)
        {
            var piece = bytes.Slice(at, Math.Min(Hole, bytes.Length - at));
            if (piece.Length == Hole && piece.Span.IndexOfAnyExcept((byte)0) < 0)
                file.Seek(Hole, SeekOrigin.Current);
            else
                await file.WriteAsync(piece, cancelled);
        }
    }

    void CopyLinked(TarEntry entry, string name)
    {
        var source = PathOf(Inside(entry.LinkName));
        if (!File.Exists(source))
            throw Refused(entry.Name, $"it is a link to {TarWriting.Shown(entry.LinkName)}, which did not come before it");
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        File.Copy(source, PathOf(name), overwrite: true);
    }

    /// <summary>A link below another link would be made wherever that one leads. Files and folders were made before any link.</summary>
    void CheckParents()
    {
        var links = _links.Select(l => l.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var (name, _, _) in _links)
            for (var above = Path.GetDirectoryName(name); !string.IsNullOrEmpty(above); above = Path.GetDirectoryName(above))
                if (links.Contains(above))
                    throw Refused(name, $"it lies below {TarWriting.Shown(above)}, which is a link");
    }

    void MakeLink(string name, string target, Header about)
    {
        var path = PathOf(name);
        if (FileStat.Of(path) is not null)
            throw Refused(name, "another entry has the same name");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.CreateSymbolicLink(path, target);
        if (keepOwner)
            ChangeOwner(path, about);
    }

    /// <summary>Each link is followed as the kernel would follow it, through all others.</summary>
    void CheckLinks()
    {
        foreach (var (name, target, _) in _links)
        {
            if (FolderWalk.StaysInside(folder, name))
                continue;
            if (!skipLinksOutside)
                throw Refused(name, $"it is a link to {TarWriting.Shown(target)}, which lies outside");
            File.Delete(PathOf(name));
            Skipped.Add($"{TarWriting.Shown(name)} is a link to {TarWriting.Shown(target)}, which lies outside: left out");
        }
    }

    void Finish(string path, Header about)
    {
        if (keepOwner)
            ChangeOwner(path, about);
        // Set-user and set-group bits make sense only together with the owner.
        File.SetUnixFileMode(path, keepOwner ? about.Mode : about.Mode & Permissions);
        if (Directory.Exists(path))
            Directory.SetLastWriteTimeUtc(path, about.Modified.UtcDateTime);
        else
            File.SetLastWriteTimeUtc(path, about.Modified.UtcDateTime);
    }

    string Inside(string name)
    {
        var parts = name.Split('/').Where(p => p is not "" and not ".").ToList();
        if (Path.IsPathRooted(name) || parts.Contains("..") || name.Contains('\0', StringComparison.Ordinal))
            throw Refused(name, "its path leaves the folder");
        return string.Join('/', parts);
    }

    string PathOf(string name) => name.Length == 0 ? folder : Path.Combine(folder, name);

    StepFailedException Damaged(Exception? inner) =>
        new(FailureClass.InvalidData, $"The archive {archive} is damaged or cut off after {Entries} entries.", "Take another one; nothing was unpacked.", inner);

    StepFailedException Refused(string name, string why) =>
        StepFailedException.InvalidData($"The archive {archive} is refused because of its entry {TarWriting.Shown(name)}: {why}.", "Nothing was unpacked.");

    static void ChangeOwner(string path, Header about)
    {
        if (Chown(path, about.Uid, about.Gid) != 0)
            throw StepFailedException.Auth($"{path} cannot be given to user {about.Uid} and group {about.Gid}: {Marshal.GetLastPInvokeErrorMessage()}.", "Run as root, or leave keepOwner away.");
    }

    [DllImport("libc", EntryPoint = "lchown", SetLastError = true)]
    static extern int Chown([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int uid, int gid);
}
