using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using Helix.Runbooks.Tests.Neo4j;
using ZstdSharp;

/// <summary>Poses as neo4j-admin and the server of 4.4 and 5.25, in the folder in which it is started. <c>odd</c> names a bad habit.</summary>
static class Neo4jPose
{
    const int Failed = 1, Usage = 2;
    static readonly string? Odd = Environment.GetEnvironmentVariable("HELIX_NEO4J_ODD");
    static string Pid => "server.pid";

    /// <summary>Serves what is in its store until SIGTERM.</summary>
    public static int Server(string version, string edition, string port)
    {
        if (Odd?.EndsWith("fails-twice-to-start", StringComparison.Ordinal) == true && FailedStarts() <= 2)
            return Say("Neo4j cannot be started", Failed);
        var store = "data/databases/neo4j";
        Directory.CreateDirectory(store);
        if (Odd != "never-ends-and-leaves-no-lock")
            File.WriteAllText(Pid, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        using var stub = Odd?.EndsWith("-and-no-answer", StringComparison.Ordinal) == true ? null : new StubServer(version, new(), int.Parse(port, CultureInfo.InvariantCulture), edition: edition, store: store);
        using var asked = new ManualResetEventSlim();
        using var end = PosixSignalRegistration.Create(PosixSignal.SIGTERM, c =>
        {
            c.Cancel = true;
            if (Odd?.StartsWith("never-ends", StringComparison.Ordinal) != true)
                asked.Set();
        });
        asked.Wait();
        File.Delete(Pid);
        return 143;
    }

    static long FailedStarts()
    {
        File.AppendAllText("starts", ".");
        return new FileInfo("starts").Length;
    }

    public static int Admin(string version, string edition, string[] arguments)
    {
        File.AppendAllText("admin.log", $"{string.Join(' ', arguments)} HEAP_SIZE={Environment.GetEnvironmentVariable("HEAP_SIZE")}\n");
        if (arguments is ["--version"])
            return Odd == "no-version" ? Say("Unknown option: '--version'", Usage) : Print(Odd == "lies-about-version" ? "4.4.0" : version);
        return version.StartsWith('5') ? Five(edition, arguments) : Four(edition, arguments);
    }

    static int Five(string edition, string[] arguments) => arguments switch
    {
        ["database", "dump", var name, "--to-stdout"] => Dump(name, Console.OpenStandardOutput, zstd: true),
        ["database", "dump", var name, var to] when After(to, "--to-path=") is { } folder && Directory.Exists(folder) => Dump(name, () => File.Create($"{folder}/{name}.dump"), zstd: true),
        ["database", "load", var name, "--from-stdin", "--overwrite-destination=true"] => Load(name, Console.OpenStandardInput),
        ["database", "load", var name, var from, "--overwrite-destination=true"] when After(from, "--from-path=") is { } folder =>
            File.Exists($"{folder}/{name}.dump") ? Load(name, () => File.OpenRead($"{folder}/{name}.dump")) : Say($"No archive for database '{name}' in {folder}", Failed),
        ["database", "backup", .. var rest] when edition == "enterprise" => Backup(rest[^1], After(rest.First(r => r.StartsWith("--to-path=", StringComparison.Ordinal)), "--to-path=")!),
        ["database", "restore", var from, "--overwrite-destination=true", var name] when edition == "enterprise" => Load(name, () => File.OpenRead(After(from, "--from-path=")!)),
        _ => Say($"Unmatched arguments from index 0: '{string.Join("', '", arguments)}'\nUsage: neo4j-admin [-hV] [COMMAND]", Usage),
    };

    static int Four(string edition, string[] arguments) => arguments switch
    {
        ["dump", var database, "--to=-"] => Dump(After(database, "--database=")!, Console.OpenStandardOutput, zstd: false),
        ["dump", var database, var to] => Dump(After(database, "--database=")!, () => File.Create(After(to, "--to=")!), zstd: false),
        ["load", "--from=-", var database, "--force"] => Load(After(database, "--database=")!, Console.OpenStandardInput),
        ["load", var from, var database, "--force"] => Load(After(database, "--database=")!, () => File.OpenRead(After(from, "--from=")!)),
        ["backup", var to, var database, ..] when edition == "enterprise" => BackupFolder(After(database, "--database=")!, After(to, "--backup-dir=")!),
        ["restore", var from, var database, "--force"] when edition == "enterprise" => RestoreFolder(After(database, "--database=")!, After(from, "--from=")!),
        _ => Say($"Unmatched arguments from index 0: '{string.Join("', '", arguments)}'\nUsage: neo4j-admin <command>", Usage),
    };

    static string? After(string text, string start) => text.StartsWith(start, StringComparison.Ordinal) ? text[start.Length..] : null;

    static string Store(string name) => $"data/databases/{name}";

    static int Dump(string name, Func<Stream> open, bool zstd)
    {
        if (InUse(name) is { } refusal)
            return refusal;
        if (!Directory.Exists(Store(name)))
            return Say($"Database does not exist: {name}", Failed);
        using var to = open();
        WriteArchive(to, Store(name), zstd);
        return 0;
    }

    static void WriteArchive(Stream to, string store, bool zstd)
    {
        to.Write(zstd ? "DZV1"u8 : "DGV1"u8);
        using Stream packed = zstd ? new CompressionStream(to, leaveOpen: true) : new GZipStream(to, CompressionLevel.Fastest, leaveOpen: true);
        // Version of the format, files, bytes.
        packed.Write([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0]);
        TarFile.CreateFromDirectory(store, packed, includeBaseDirectory: false);
    }

    static int Load(string name, Func<Stream> open)
    {
        if (InUse(name) is { } refusal)
            return refusal;
        if (Directory.Exists(Store(name)))
            Directory.Delete(Store(name), recursive: true);
        Directory.CreateDirectory(Store(name));
        Directory.CreateDirectory($"data/transactions/{name}");
        if (Odd?.StartsWith("half-load", StringComparison.Ordinal) == true)
        {
            File.WriteAllText($"{Store(name)}/{StubGraph.File}", "{\"Lab");
            return Say("java.io.IOException: unexpected end of stream", Failed);
        }
        using var from = open();
        ReadArchive(from, Store(name));
        if (Odd == "empty-load")
            new StubGraph().Write(Store(name));
        return 0;
    }

    static void ReadArchive(Stream from, string store)
    {
        var magic = new byte[4];
        from.ReadExactly(magic);
        using Stream content = magic[1] == (byte)'Z' ? new DecompressionStream(from) : new GZipStream(from, CompressionMode.Decompress);
        content.ReadExactly(new byte[20]);
        TarFile.ExtractToDirectory(content, store, overwriteFiles: true);
    }

    static int Backup(string name, string folder)
    {
        using var to = File.Create($"{folder}/{name}-2026-03-01T02-00-00.backup");
        WriteArchive(to, Store(name), zstd: true);
        return 0;
    }

    static int BackupFolder(string name, string folder)
    {
        Directory.CreateDirectory($"{folder}/{name}");
        File.Copy($"{Store(name)}/{StubGraph.File}", $"{folder}/{name}/{StubGraph.File}");
        return 0;
    }

    static int RestoreFolder(string name, string folder)
    {
        if (InUse(name) is { } refusal)
            return refusal;
        Directory.CreateDirectory(Store(name));
        File.Copy($"{folder}/{StubGraph.File}", $"{Store(name)}/{StubGraph.File}", overwrite: true);
        return 0;
    }

    static int? InUse(string name)
    {
        if (Odd == "out-of-memory")
            return Say("java.lang.OutOfMemoryError: Java heap space", Failed);
        if (Odd == "killed")
            return 137;
        return File.Exists(Pid) || Odd == "says-in-use" ? Say($"The database is in use. Stop database '{name}' and try again.", Failed) : null;
    }

    static int Print(string text)
    {
        Console.Out.WriteLine(text);
        return 0;
    }

    static int Say(string words, int code)
    {
        Console.Error.WriteLine(words);
        return code;
    }
}
