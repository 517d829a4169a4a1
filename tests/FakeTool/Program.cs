using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

// A dummy program that poses as the tools which steps call; what it does is said by its arguments.
// Other areas add their subcommands in a file of their own and a line here.
return args switch
{
    ["drive", .. var rest] => await RunDriver.Run(rest),
    ["journal", var verb, var file, var run, var count] => JournalWriter.Run(verb, file, run, int.Parse(count, CultureInfo.InvariantCulture)),
    ["neo4j-server", var version, var edition, var port] => Neo4jPose.Server(version, edition, port),
    ["neo4j-admin", var version, var edition, .. var rest] => Neo4jPose.Admin(version, edition, rest),
    ["pg_dump", var server, .. var rest] => PostgresTool.Dump(server, rest),
    ["pg_restore", .. var rest] => PostgresTool.Restore(rest),
    ["exit", var code] => int.Parse(code, CultureInfo.InvariantCulture),
    ["fail", var code, var words] => Say(words, int.Parse(code, CultureInfo.InvariantCulture)),
    ["flood", var stream, var count] => Flood(stream, long.Parse(count, CultureInfo.InvariantCulture)),
    ["both", var count] => Math.Max(Flood("stderr", long.Parse(count, CultureInfo.InvariantCulture)), Flood("stdout", long.Parse(count, CultureInfo.InvariantCulture))),
    ["one-line", var count] => OneLine(long.Parse(count, CultureInfo.InvariantCulture)),
    ["bytes"] => AllBytes(),
    ["cat"] => Cat(),
    ["env", var name] => Print(Environment.GetEnvironmentVariable(name) ?? "(not set)"),
    ["args", .. var rest] => Print(string.Join('\n', rest)),
    ["ignore", .. var signals] => Ignore(signals),
    ["graceful", var code] => Graceful(int.Parse(code, CultureInfo.InvariantCulture)),
    ["wait"] => Wait(),
    ["first-thread-ends"] => FirstThreadEnds(),
    ["grandchild", var seconds] => Grandchild(seconds),
    ["close-stdout", var code] => CloseStdout(int.Parse(code, CultureInfo.InvariantCulture)),
    ["close-stdin", var code] => CloseStdin(int.Parse(code, CultureInfo.InvariantCulture)),
    _ => Say($"FakeTool does not know: {string.Join(' ', args)}", 64),
};

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

static int Flood(string stream, long count)
{
    using var to = stream == "stderr" ? Console.OpenStandardError() : Console.OpenStandardOutput();
    var line = new byte[1000];
    Array.Fill(line, (byte)'x');
    line[^1] = (byte)'\n';
    var block = Enumerable.Repeat(line, 64).SelectMany(l => l).ToArray();
    for (; count > 0; count -= block.Length)
        to.Write(block, 0, (int)Math.Min(block.Length, count));
    return 0;
}

static int OneLine(long count)
{
    using var to = Console.OpenStandardOutput();
    var block = new byte[4096];
    Array.Fill(block, (byte)'y');
    for (; count > 0; count -= block.Length)
        to.Write(block, 0, (int)Math.Min(block.Length, count));
    return 0;
}

static int AllBytes()
{
    Console.Error.WriteLine("a word on stderr");
    using var to = Console.OpenStandardOutput();
    to.Write([.. Enumerable.Range(0, 256).Select(i => (byte)i)]);
    return 0;
}

static int Cat()
{
    using var from = Console.OpenStandardInput();
    using var to = Console.OpenStandardOutput();
    from.CopyTo(to);
    return 0;
}

// Says "ready" when it has its handlers, then "got SIGX" for each signal, and lives on.
static int Ignore(string[] names)
{
    var handlers = names.Select(n => Enum.Parse<PosixSignal>(n)).Select(s => PosixSignalRegistration.Create(s, c =>
    {
        c.Cancel = true;
        Console.WriteLine($"got {c.Signal}");
    })).ToList();
    Print("ready");
    Thread.Sleep(Timeout.Infinite);
    GC.KeepAlive(handlers);
    return 0;
}

// Ends properly at SIGINT or SIGTERM.
static int Graceful(int code)
{
    using var asked = new ManualResetEventSlim();
    void Asked(PosixSignalContext c)
    {
        c.Cancel = true;
        Console.WriteLine($"got {c.Signal}");
        asked.Set();
    }
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Asked);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Asked);
    Print("ready");
    asked.Wait();
    return code;
}

static int Wait()
{
    Print("ready");
    Thread.Sleep(Timeout.Infinite);
    return 0;
}

// Ends at once; what it started keeps both pipes for some seconds.
static int Grandchild(string seconds)
{
    using var child = Process.Start(new ProcessStartInfo("sleep", [seconds]))!;
    Print($"grandchild {child.Id}");
    return 0;
}

// Another thread lives on; /proc shows a zombie.
static int FirstThreadEnds()
{
    new Thread(() => Thread.Sleep(Timeout.Infinite)).Start();
    return (int)Native.SystemCall(RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 60 : 93, 0);
}

static int CloseStdout(int code)
{
    Print("before");
    _ = Native.Close(1);
    Thread.Sleep(300);
    Console.Error.WriteLine("after");
    return code;
}

static int CloseStdin(int code)
{
    _ = Native.Close(0);
    Thread.Sleep(300);
    return code;
}

static class Native
{
    /// <summary>Number 60, 93 on Arm, is exit, which ends one thread (syscalls(2)).</summary>
    [DllImport("libc", EntryPoint = "syscall")]
    public static extern long SystemCall(long number, long argument);

    [DllImport("libc", EntryPoint = "close")]
    public static extern int Close(int descriptor);
}
