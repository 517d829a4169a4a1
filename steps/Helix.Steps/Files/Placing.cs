using Helix.Runbooks.Steps;

namespace Helix.Steps.Files;

/// <summary>How what was unpacked gets into its folder. A folder that is there stays, and the work is done inside it: it may be a mount point, and beside it is another disk.</summary>
sealed class Placing
{
    readonly string _to;
    readonly string _beside;
    readonly string _inside;

    /// <summary>What is whole and has only to be moved: never the same name as what is still being unpacked.</summary>
    readonly string _whole;

    public Placing(string to, StepContext context)
    {
        _to = to;
        _beside = Unfinished.NameFor(context, to);
        _inside = Unfinished.NameFor(context, Path.Combine(to, Path.GetFileName(to)));
        _whole = Path.ChangeExtension(_inside, "unpacked");
    }

    /// <summary>Where to unpack.</summary>
    public string Temporary => Directory.Exists(_to) ? _inside : _beside;

    /// <summary>An attempt that unpacked everything was cut off while it moved that.</summary>
    public bool HasBegun => Directory.Exists(_whole);

    /// <summary>Something that this step has not left itself.</summary>
    public bool FolderHoldsSomething =>
        Directory.Exists(_to) && Directory.EnumerateFileSystemEntries(_to).Any(e => e != _inside && e != _whole);

    public void RemoveLeft()
    {
        foreach (var left in new[] { _beside, _inside, _whole }.Where(Directory.Exists))
            Directory.Delete(left, recursive: true);
    }

    /// <exception cref="StepFailedException">Conflict: a file and a folder have the same name. Nothing was moved.</exception>
    public void Check(string from) => Check(from, _to);

    /// <summary>Can be called again for what an attempt before could not move.</summary>
    public void Finish()
    {
        if (!Directory.Exists(_to))
        {
            Directory.Move(_beside, _to);
            Durable.SyncFolder(Path.GetDirectoryName(_to)!);
            return;
        }
        if (!HasBegun)
            Directory.Move(_inside, _whole);
        MoveAll(_whole, _to);
        Directory.Delete(_whole);
        Durable.SyncFolder(_to);
    }

    static void Check(string from, string to)
    {
        foreach (var entry in new DirectoryInfo(from).EnumerateFileSystemInfos())
        {
            var (here, name) = (FileStat.Of(entry.FullName)!.Type, Path.Combine(to, entry.Name));
            var there = FileStat.Of(name)?.Type;
            if (here != FileType.Folder && there == FileType.Folder)
                throw StepFailedException.Conflict($"{name} is a folder, and the archive has a file there.");
            // A link where the archive has a folder would lead the files elsewhere.
            if (here == FileType.Folder && there is not null and not FileType.Folder)
                throw StepFailedException.Conflict($"{name} is no folder, and the archive has one there.");
            if (here == FileType.Folder && there == FileType.Folder)
                Check(entry.FullName, name);
        }
    }

    static void MoveAll(string from, string to)
    {
        foreach (var entry in new DirectoryInfo(from).EnumerateFileSystemInfos())
        {
            var name = Path.Combine(to, entry.Name);
            var type = FileStat.Of(entry.FullName)!.Type;
            if (type == FileType.Link)
                Durable.MoveLink(entry.FullName, name);
            else if (type != FileType.Folder)
                File.Move(entry.FullName, name, overwrite: true);
            else if (FileStat.Of(name)?.Type == FileType.Folder)
            {
                MoveAll(entry.FullName, name);
                Directory.Delete(entry.FullName);
            }
            else
                Directory.Move(entry.FullName, name);
        }
        Durable.SyncFolder(to);
    }
}
