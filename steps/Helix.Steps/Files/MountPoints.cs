namespace Helix.Steps.Files;

static class MountPoints
{
    public static IEnumerable<string> All() =>
        from line in File.ReadLines("/proc/self/mountinfo")
        let fields = line.Split(' ')
        where fields.Length > 4
        select fields[4].Replace("\\040", " ", StringComparison.Ordinal);
}
