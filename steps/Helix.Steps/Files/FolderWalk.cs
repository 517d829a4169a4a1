namespace Helix.Steps.Files;

/// <summary>Follows a path name by name as the kernel would, and sees when it leaves a folder.</summary>
static class FolderWalk
{
    const int MostLinks = 40; // the kernel's own limit

    /// <param name="path">Relative to the root, or absolute.</param>
    /// <returns>False when following it leads out of the root, even for a moment, or never ends.</returns>
    public static bool StaysInside(string root, string path)
    {
        var way = new Stack<string>(path.Split('/').Reverse());
        var at = new List<string>();
        var links = 0;
        if (Path.IsPathRooted(path))
            return false;
        while (way.TryPop(out var name))
        {
            if (name is "" or ".")
                continue;
            if (name == "..")
            {
                if (at.Count == 0)
                    return false;
                at.RemoveAt(at.Count - 1);
                continue;
            }
            at.Add(name);
            if (new FileInfo(Path.Combine(root, string.Join('/', at))).LinkTarget is not { } target)
                continue;
            if (Path.IsPathRooted(target) || ++links > MostLinks)
                return false;
            at.RemoveAt(at.Count - 1);
            foreach (var part in target.Split('/').Reverse())
                way.Push(part);
        }
        return true;
    }

    /// <summary>The path with every link on the way to its parent resolved; the last name stays as it is.</summary>
    public static string RealParent(string path)
    {
        var parent = Path.GetDirectoryName(path);
        return parent is null ? path : Path.Combine(Real(parent), Path.GetFileName(path));
    }

    /// <summary>The path with every link in it resolved; what is not there stays as it is.</summary>
    public static string Real(string path)
    {
        var at = "/";
        var way = new Stack<string>(path.Split('/').Reverse());
        for (var links = 0; way.TryPop(out var name);)
        {
            if (name is "" or ".")
                continue;
            if (name == "..")
            {
                at = Path.GetDirectoryName(at) ?? "/";
                continue;
            }
            var next = Path.Combine(at, name);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                at = next;
                continue;
            }
            if (++links > MostLinks)
                throw new IOException($"Too many links in {path}.");
            if (Path.IsPathRooted(target))
                at = "/";
            foreach (var part in target.Split('/').Reverse())
                way.Push(part);
        }
        return at;
    }
}
