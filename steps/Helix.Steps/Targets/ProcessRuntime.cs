using System.Globalization;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Steps.Processes;

namespace Helix.Steps.Targets;

/// <summary>A service that is a plain process of this machine. It lives in a session of its own and outlives the engine.</summary>
sealed class ProcessRuntime(ProcessOptions options, string name) : Runtime
{
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(10);
    static readonly TimeSpan NoteLimit = TimeSpan.FromSeconds(10);

    // A small shell stays as parent to note the exit code, which nobody else could learn.
    // The pid is on disk before the service runs, and beside it which very process that is; one that writes its own pid file writes the same pid.
    // Output 3 is closed when the pid is written: who has started it, and dies or asks again, finds it.
    internal const string Detach =
        """
        pid=$1 log=$2; shift 2
        rm -f "$pid.exit"
        { setsid /bin/sh -c '
          pid=$1; shift
          /bin/sh -c '"'"'
            echo "$$ $(sed "s/.*) //" /proc/$$/stat | cut -d" " -f20) $(cat /proc/sys/kernel/random/boot_id)" >"$1.process"
            echo $$ >"$1"; shift; exec "$@" 3>&-
          '"'"' sh "$pid" "$@" &
          exec 3>&-
          wait $!; code=$?
          echo $code >"$pid.exit"
        ' sh "$pid" "$@" 3>&1 </dev/null >>"$log" 2>&1 & } | cat
        """;

    public override string Address => $"process:{Environment.MachineName}:{options.Directory}";
    public override IReadOnlyList<string> Tools => ["setsid", options.Start[0].Contains('/') ? InDirectory(options.Start[0]) : options.Start[0]];
    public override string StartCommand => options.ShellStart;

    public override Task<string?> Place(PlanContext context) => Task.FromResult<string?>($"{Environment.MachineName}:{options.Directory}");

    public override Task<RuntimeState> State(PlanContext context) => Task.FromResult(Now());

    public override async Task<RuntimeState> Stop(StepContext context, TimeSpan grace)
    {
        if (Running() is not { } process)
            return Now();
        var isNoted = ProcessIdentity.Parse(Text(PidFileProcess.NoteOf(options.PidFile))) == process;
        var killed = grace == TimeSpan.Zero;
        if (!killed)
            await Signal(context, "TERM", process);
        if (killed || !await Ended(context, process, grace))
        {
            context.Log(killed ? $"{name} is killed." : $"{name} did not end within {new Duration(grace)} of SIGTERM and is killed.");
            killed = true;
            await Signal(context, "KILL", process);
            if (!await Ended(context, process, TimeSpan.FromSeconds(10)))
                throw StepFailedException.Conflict($"{name} (pid {process.Pid}) lives on after SIGKILL.", "It hangs in the kernel, as on a dead network mount.");
        }
        // The parent notes the exit code a moment later; what somebody else has started has no such parent.
        await Until(context, () => File.Exists(ExitFile), isNoted ? NoteLimit : TimeSpan.FromSeconds(0.5));
        var state = Now();
        return state with { ExitCode = killed ? 137 : state.ExitCode, Detail = killed ? $"killed after {new Duration(grace)}" : null };
    }

    public override async Task Start(StepContext context)
    {
        if (Running() is not null)
            return;
        if (!Directory.Exists(options.Directory))
            throw StepFailedException.Missing($"{name} cannot be started: its folder {options.Directory} does not exist.");
        File.Delete(options.PidFile);
        var start = context.Tool("/bin/sh", ["-c", Detach, "sh", options.PidFile, options.Log ?? "/dev/null", Executable(context), .. options.Start.Skip(1)]);
        await (start with { WorkingDirectory = options.Directory, Environment = Variables() }).Run();
        await Until(context, () => Running() is not null || File.Exists(ExitFile), StartLimit);
        if (Running() is not null)
            return;
        // It was seen alive; its parent notes the exit code a moment later.
        await Until(context, () => File.Exists(ExitFile), NoteLimit);
        throw StepFailedException.Transient($"{name} ended as soon as it was started{(Now().ExitCode is { } code ? $", with exit code {code}" : "")}.{LastWords()}");
    }

    public override Task Scale(StepContext context, int replicas) => replicas switch
    {
        0 => Stop(context, TimeSpan.FromSeconds(10)),
        1 => Start(context),
        _ => throw new RunbookException($"{name} is a process of this machine: it can have 0 or 1 instances, not {replicas}."),
    };

    public override Task<int?> Instances(PlanContext context) => Task.FromResult<int?>(Running() is null ? 0 : 1);

    public override Tool Exec(PlanContext context, params IReadOnlyList<string> command) =>
        context.Tool(command[0], command.Skip(1)) with { WorkingDirectory = options.Directory, Environment = Variables() };

    /// <summary>The same as <see cref="Exec"/>: image and volumes are this machine's.</summary>
    public override Tool OneOff(PlanContext context, params IReadOnlyList<string> command) => Exec(context, command);

    public override Task<long> CopyOut(StepContext context, string path, Stream to) => LocalFiles.CopyOut(context, InDirectory(path), to);
    public override Task CopyIn(StepContext context, Stream from, string path, FileOwner owner) => LocalFiles.CopyIn(context, from, InDirectory(path), owner);
    public override Task Remove(StepContext context, string path) => LocalFiles.Remove(InDirectory(path));

    string ExitFile => options.PidFile + ".exit";

    string InDirectory(string path) => Path.GetFullPath(path, options.Directory);

    Dictionary<string, string?> Variables() => options.Environment.ToDictionary(e => e.Key, e => (string?)e.Value);

    string Executable(PlanContext context) =>
        Executables.Find(context.Tool(options.Start[0]) with { WorkingDirectory = options.Directory, Environment = Variables() });

    RuntimeState Now() => Running() is { } running
        ? new(RuntimeStatus.Running, Detail: $"pid {running.Pid}")
        : new(RuntimeStatus.Stopped, ExitCode: int.TryParse(Text(ExitFile), NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? code : null);

    /// <summary>The process of the pid file, unless its pid has a new owner.</summary>
    ProcessIdentity? Running()
    {
        var text = Text(options.PidFile).Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries);
        if (text.Length == 0)
            return null;
        if (!int.TryParse(text[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pid) || pid <= 1)
            throw StepFailedException.InvalidData($"It cannot be told whether {name} runs: {options.PidFile} holds no process id.", "Is it the right file?");
        if (ProcessIdentity.IsHidden(pid))
            throw StepFailedException.Auth($"It cannot be told whether {name} runs: pid {pid} lives, and this account may not see what it is.", "Run helix as root or as the account of the service.");
        if (ProcessIdentity.Of(pid) is not { } process)
            return null;
        var found = new PidFileProcess(process, ProcessIdentity.Parse(Text(PidFileProcess.NoteOf(options.PidFile))), process.StartedAt(ProcessIdentity.BootedAt), File.GetLastWriteTimeUtc(options.PidFile), PidFileProcess.WordsOf(pid));
        return found.IsService(options, name) ? process : null;
    }

    /// <summary>Empty where there is no such file, or none any more.</summary>
    string Text(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StepFailedException(e is IOException ? FailureClass.Transient : FailureClass.Auth, $"It cannot be told whether {name} runs: {file} cannot be read: {e.Message}", inner: e);
        }
    }

    async Task Signal(StepContext context, string signal, ProcessIdentity process)
    {
        var result = await context.Tool("/bin/sh", "-c", "kill -\"$1\" \"$2\"", "sh", signal, process.Pid.ToString(CultureInfo.InvariantCulture)).Accept(0, 1).Run();
        if (result.ExitCode != 0 && process.IsAlive)
            throw StepFailedException.Auth($"{name} (pid {process.Pid}) was not stopped: it takes no signals from this account. {result.Stderr.Trim()}", "Run helix as root or as the account of the service.");
    }

    static Task<bool> Ended(StepContext context, ProcessIdentity process, TimeSpan limit) => Until(context, () => !process.IsAlive, limit);

    static async Task<bool> Until(StepContext context, Func<bool> condition, TimeSpan limit)
    {
        var start = context.Time.GetTimestamp();
        while (!condition())
        {
            if (context.Time.GetElapsedTime(start) >= limit)
                return false;
            await context.Delay(Look);
        }
        return true;
    }

    public override Task<string> LastLines(PlanContext context) => Task.FromResult(LastWords());

    string LastWords()
    {
        if (options.Log is not { } log || !File.Exists(log))
            return "";
        using var file = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        file.Seek(-Math.Min(2000, file.Length), SeekOrigin.End);
        using var reader = new StreamReader(file);
        return $" Last lines of {log}: {string.Join(" | ", reader.ReadToEnd().Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).TakeLast(5))}";
    }
}
