using System.Formats.Tar;

namespace Helix.Steps.Files;

/// <summary>Packs files in a fixed order, so that the same files give the same bytes. What could not be read as it was is named.</summary>
sealed class TarWriting(Stream to, string folder, string self, CancellationToken cancelled) : IAsyncDisposable
{
    /// <summary>The GNU form: .NET writes the number of its process into each header of the pax form, so that no two runs gave the same bytes.
    /// It keeps whole seconds, long names, big files and any character, and the reader of .NET takes a line feed in a pax record for its end.</summary>
    readonly TarWriter _tar = new(to, TarEntryFormat.Gnu, leaveOpen: true);

    public int Entries { get; private set; }
    public long Bytes { get; private set; }

    /// <summary>What is missing in the archive, or may not be what it was at one moment (PRC-08).</summary>
    public List<string> Faults { get; } = [];

    /// <summary>Worth knowing, and no loss.</summary>
    public List<string> Notes { get; } = [];

    public Action<long> Progress { get; init; } = _ => { };

    /// <param name="paths">Below the folder.</param>
    public async Task Write(IEnumerable<string> paths)
    {
        foreach (var path in paths.Order(StringComparer.Ordinal))
            await Add(path);
    }

    /// <summary>Writes the end of the archive.</summary>
    public ValueTask DisposeAsync() => _tar.DisposeAsync();

    async Task Add(string name)
    {
        cancelled.ThrowIfCancellationRequested();
        var path = Path.Combine(folder, name);
        try
        {
            if (IsNoUtf8(name))
                Faults.Add($"{Shown(name)} has a name that is not UTF-8");
            else if (path == self)
                Notes.Add($"{Shown(name)} is the archive itself and was left out");
            else if (FileStat.Of(path) is { } stat)
                await Add(name, path, stat);
            else
                Faults.Add($"{Shown(name)} vanished before it was read");
        }
        catch (UnauthorizedAccessException)
        {
            Faults.Add($"{Shown(name)} may not be read");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            Faults.Add($"{Shown(name)} vanished before it was read");
        }
    }

    Task Add(string name, string path, FileStat stat) => stat.Type switch
    {
        FileType.File => AddFile(name, path, stat),
        FileType.Folder => AddFolder(name, path, stat),
        FileType.Link => AddLink(name, new FileInfo(path).LinkTarget, stat),
        _ => Leave($"{Shown(name)} is a {stat.Type.ToString().ToLowerInvariant()} and was left out"),
    };

    async Task AddFolder(string name, string path, FileStat stat)
    {
        // Listed before its own entry is written: a folder that may not be read is named, not stored as an empty one.
        var children = new DirectoryInfo(path).EnumerateFileSystemInfos().Select(c => name.Length == 0 ? c.Name : $"{name}/{c.Name}").Order(StringComparer.Ordinal).ToList();
        if (name.Length > 0)
            await AddEntry(new(TarEntryType.Directory, name + "/"), stat);
        foreach (var child in children)
            await Add(child);
    }

    async Task AddFile(string name, string path, FileStat stat)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 17, FileOptions.Asynchronous | FileOptions.SequentialScan);
        if (stat.Size - stat.Allocated > 1 << 20)
            Notes.Add($"{Shown(name)} is sparse: {stat.Allocated} of {stat.Size} bytes are on disk; its holes are made again when it is extracted");
        var content = new FixedLength(file, stat.Size, read => Progress(Bytes + read));
        await AddEntry(new(TarEntryType.RegularFile, name) { DataStream = content }, stat);
        Bytes += stat.Size;
        if (content.Short || FileStat.Of(path)?.IsSameAs(stat) != true)
            Faults.Add($"{Shown(name)} changed while it was read");
    }

    async Task AddLink(string name, string? target, FileStat stat)
    {
        if (target is null)
            Faults.Add($"{Shown(name)} vanished before it was read");
        else if (IsNoUtf8(target))
            Faults.Add($"{Shown(name)} is a link to {Shown(target)}, a name that is not UTF-8");
        else
            await AddEntry(new(TarEntryType.SymbolicLink, name) { LinkName = target }, stat);
    }

    async Task AddEntry(GnuTarEntry entry, FileStat stat)
    {
        entry.Mode = stat.Mode;
        entry.Uid = stat.Uid;
        entry.Gid = stat.Gid;
        entry.ModificationTime = stat.Modified;
        await _tar.WriteEntryAsync(entry, cancelled);
        Entries++;
    }

    /// <summary>.NET puts this character where the bytes of a name were none.</summary>
    static bool IsNoUtf8(string name) => name.Contains('\uFFFD', StringComparison.Ordinal);

    Task Leave(string note)
    {
        Notes.Add(note);
        return Task.CompletedTask;
    }

    /// <summary>Names come from outside: a line feed in one must not start a line of its own in the log.</summary>
    public static string Shown(string name) =>
        string.Concat(name.Select(c => char.IsControl(c) || c == '\uFFFD' ? $"\\u{(int)c:x4}" : c.ToString()));

    /// <summary>Exactly as many bytes as the header says: cut when the file grew, filled with zeros when it shrank.</summary>
    sealed class FixedLength(Stream inner, long length, Action<long> progress) : Stream
    {
        long _at;

        public bool Short { get; private set; }
        public override bool CanRead => true;
        public override bool CanSeek => true; // so that the writer asks for the length instead of buffering everything
        public override bool CanWrite => false;
        public override long Length => length;
        public override long Position { get => _at; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var most = (int)Math.Min(buffer.Length, length - _at);
            if (most == 0)
                return 0;
            var read = Short ? 0 : await inner.ReadAsync(buffer[..most], cancellationToken);
            if (read == 0)
            {
                Short = true;
                buffer.Span[..most].Clear();
                read = most;
            }
            _at += read;
            progress(_at);
            return read;
        }

        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
