namespace Helix.Benchmarks.ServerLoad;

/// <summary>A folder with runbooks, an environment and the place of the store.</summary>
sealed class Books
{
    public Books(string folder)
    {
        Folder = folder;
        Write("environments/here.yaml", "apiVersion: helix.runbooks/v1\nname: here\ntargets: {}\npeople: { groups: { dba: [alice, bob] } }\n");
        Book("waits", "objectives: { rto: 4h }\nsteps:\n  - { id: go, uses: approval, with: { message: 'Go on?', approvers: ['group:dba'], expiresAfter: 7d } }\n  - { id: after, uses: command.run, effect: reads, with: { argv: ['true'] } }\n");
        Book("busy", "steps:\n" + string.Concat(Enumerable.Range(1, 3).Select(i => $"  - {{ id: s{i}, uses: command.run, effect: reads, with: {{ argv: [sleep, '1'] }} }}\n")));
        Book("short", "steps:\n" + string.Concat(Enumerable.Range(1, 3).Select(i => $"  - {{ id: s{i}, uses: command.run, effect: reads, with: {{ argv: [echo, hello] }} }}\n")));
        Book("long", "steps:\n" + string.Concat(Enumerable.Range(1, 20).Select(i => $"  - {{ id: s{i}, uses: command.run, effect: reads, with: {{ argv: [sleep, '1'] }} }}\n")));
    }

    public string Folder { get; }
    public string Runbooks => Path.Combine(Folder, "runbooks");
    public string Data => Path.Combine(Folder, "data");
    public string Store => Path.Combine(Data, "helix.db");
    public string PathOf(string book) => Path.Combine(Runbooks, book + ".yaml");

    void Book(string name, string body) => Write(name + ".yaml", $"apiVersion: helix.runbooks/v1\nname: {name}\ntitle: The runbook {name}\n{body}");

    void Write(string name, string text)
    {
        var path = Path.Combine(Runbooks, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
