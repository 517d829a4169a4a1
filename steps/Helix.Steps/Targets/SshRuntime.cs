using System.Globalization;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Steps.Processes;
using Helix.Steps.Files;

namespace Helix.Steps.Targets;

/// <summary>A service that is a plain process of another machine, reached by ssh; the same pid file and log as for one of this machine.</summary>
sealed class SshRuntime(ProcessOptions options, SshHost host, string name) : Runtime
{
    // A process of another account takes no signal, not even 0, and lives all the same: /proc tells.
    const string Look =
        """
        LC_ALL=C; export LC_ALL
        file=$1
        pid=$(cat -- "$file" 2>&1) || case $pid in
          *"No such file"*) pid= ;;
          *) echo unreadable; echo "$pid"; exit 0 ;;
        esac
        set -- $pid
        case $1 in
          '') echo stopped; cat -- "$file.exit" 2>/dev/null; exit 0 ;;
          *[!0-9]*) echo unreadable; echo "it holds no process id"; exit 0 ;;
        esac
        stat=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null)
        if [ -z "$stat" ]; then
          case $(kill -0 "$1" 2>&1) in *"not permitted"*) echo hidden; echo "$1" ;; *) echo stopped; cat -- "$file.exit" 2>/dev/null ;; esac
          exit 0
        fi
        echo alive; echo "$1"; echo "$stat"; cat /proc/sys/kernel/random/boot_id; sed -n 's/^btime //p' /proc/stat; stat -L -c %Y -- "$file"
        echo "$(cat -- "$file.process" 2>/dev/null)"
        tr '\0' '\n' <"/proc/$1/cmdline"
        """;

    const string End =
        """
        pid=$1 ticks=$2 left=$(( $3 * 10 )) file=$4
        alive() { set -- $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null); [ "${20}" = "$ticks" ] && [ "$1" != X ] && { [ "$1" != Z ] || [ "${18}" -gt 1 ]; }; }
        ask() { why=$(kill "-$1" "$pid" 2>&1) || ! alive || { echo refused; echo "$why"; exit; }; }
        ended() { while alive && [ "$left" -gt 0 ]; do sleep 0.1; left=$(( left - 1 )); done; ! alive; }
        # The parent notes the exit code a moment later; what somebody else has started has no such parent.
        noted() {
          left=3; case $(cat -- "$file.process" 2>/dev/null) in "$pid $ticks "*) left=100 ;; esac
          until [ -s "$file.exit" ] || [ "$left" -le 0 ]; do sleep 0.1; left=$(( left - 1 )); done
        }
        ask TERM
        ended && { noted; exit 0; }
        ask KILL; left=100; ended && noted; echo killed
        """;

    // What has ended already has its exit code noted a moment later.
    const string Begun =
        """
        left=100
        later() { sleep 0.1; left=$(( left - 1 )); }
        until [ -s "$1" ] || [ -s "$1.exit" ] || [ "$left" -le 0 ]; do later; done
        sleep 0.2
        { read -r pid rest <"$1"; } 2>/dev/null
        lives() { case $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null) in [!XZ]*) ;; *) false ;; esac; }
        until lives || [ -s "$1.exit" ] || [ "$left" -le 0 ]; do later; done
        """;

    // The end of ssh does not end what it runs there; its mark finds it, and what it has started.
    const string EndMarked =
        """
        marked() { grep -lszxF -e "$mark" /proc/[0-9]*/environ | cut -d/ -f3; }
        mark=$1 left=30
        for p in $(marked); do kill -TERM "$p" 2>/dev/null; done
        while [ -n "$(marked)" ] && [ "$left" -gt 0 ]; do sleep 0.1; left=$(( left - 1 )); done
        for p in $(marked); do kill -KILL "$p" 2>/dev/null && sleep 0.1; done
        [ -z "$(marked)" ] || { echo "it does not end" >&2; exit 1; }
        """;

    const string Receive =
        """
        target=$(readlink -f -- "$1"); like=$target
        [ -e "$like" ] || like=$(dirname -- "$target")
        part=$(dirname -- "$target")/$2
        rm -f -- "$part"
        cat >"$part" && sync -- "$part" && chown "${3:-$(stat -L -c %u:%g -- "$like")}" "$part" || { rm -f -- "$part"; exit 1; }
        if [ -n "$4" ]; then chmod "$4" "$part"; elif [ -e "$target" ]; then chmod "$(stat -L -c %a -- "$target")" "$part"; else chmod 640 "$part"; fi
        sha256sum <"$part" | cut -d' ' -f1; echo "$part"; echo "$target"
        """;

    public override string Address => $"process:{host.Name}:{options.Directory}";
    public override IReadOnlyList<string> Tools => ["ssh"];
    public override string StartCommand => host.ShellPrefix + Shell.Quoted(options.ShellStart);

    public override async Task<string?> Place(PlanContext context) => $"{(await host.Answer(host.Script(context, "uname -n"))).Trim()}:{options.Directory}";

    public override async Task<RuntimeState> State(PlanContext context) => (await Find(context)).State;

    public override async Task<RuntimeState> Stop(StepContext context, TimeSpan grace)
    {
        var found = await Find(context);
        if (found.Process is not { } process)
            return found.State;
        var seconds = Math.Max(1, (int)Math.Ceiling(grace.TotalSeconds));
        var end = (await host.Answer(host.Script(context, End, Number(process.Pid), Number(process.StartTicks), Number(seconds), options.PidFile))).Split('\n');
        if (end is ["refused", var why, ..])
            throw StepFailedException.Auth($"{name} on {host.Name} ({found.State.Detail}) was not stopped: it takes no signals from the account of {host.Address}. {why}", "Give the account of the service in `host`, or root.");
        var killed = end[0] == "killed";
        var state = await State(context);
        if (state.Status == RuntimeStatus.Running)
            throw StepFailedException.Conflict($"{name} on {host.Name} ({state.Detail}) lives on after {(killed ? "SIGKILL" : "it was stopped")}.", killed ? "It hangs in the kernel, as on a dead network mount." : "Something starts it again, as systemd does: use that to stop it.");
        return state with { ExitCode = killed ? 137 : state.ExitCode, Detail = killed ? $"killed after {new Duration(grace)}" : null };
    }

    /// <summary>Only an answer that is known counts: a service that runs must not pass for stopped.</summary>
    async Task<(RuntimeState State, ProcessIdentity? Process)> Find(PlanContext context)
    {
        var answer = (await host.Answer(host.Script(context, Look, options.PidFile))).Split('\n');
        return answer switch
        {
            ["stopped", var code, ..] => (Stopped(code), null),
            ["hidden", var pid, ..] => throw StepFailedException.Auth($"It cannot be told whether {name} runs: pid {pid} lives on {host.Name}, and the account of {host.Address} may not see what it is.", "Give the account of the service in `host`, or root."),
            ["unreadable", var why, ..] => throw StepFailedException.Auth($"It cannot be told whether {name} runs: {options.PidFile} on {host.Name}: {why}"),
            ["alive", var pid, var stat, var boot, var bootedAt, var written, var noted, .. var words] => Judged(ProcessStat.Parse(int.Parse(pid, CultureInfo.InvariantCulture), stat), boot, Time(bootedAt), Time(written), noted, words),
            _ => throw StepFailedException.Transient($"{host.Name} does not say whether {name} runs."),
        };
    }

    (RuntimeState, ProcessIdentity?) Judged(ProcessStat stat, string boot, DateTime bootedAt, DateTime written, string noted, IReadOnlyList<string> words)
    {
        var process = new ProcessIdentity(stat.Pid, stat.StartTicks, boot);
        var found = new PidFileProcess(process, ProcessIdentity.Parse(noted), process.StartedAt(bootedAt), written, [.. words.Where(w => w.Length > 0)]);
        return stat.Ended || !found.IsService(options, name) ? (Stopped(""), null) : (new(RuntimeStatus.Running, Detail: $"pid {stat.Pid} on {host.Name}"), process);
    }

    static RuntimeState Stopped(string code) =>
        new(RuntimeStatus.Stopped, ExitCode: int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null);

    static DateTime Time(string seconds) => DateTime.UnixEpoch.AddSeconds(long.Parse(seconds, CultureInfo.InvariantCulture));

    static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    public override async Task Start(StepContext context)
    {
        if ((await State(context)).Status == RuntimeStatus.Running)
            return;
        var variables = options.Environment.Select(e => $"{e.Key}={e.Value}");
        string[] detached = ["/bin/sh", "-c", ProcessRuntime.Detach, "sh", options.PidFile, options.Log ?? "/dev/null", .. options.Start];
        await host.Ask(host.Call(context, options.Directory, [], ["env", .. variables, .. detached]));
        await host.Ask(host.Script(context, Begun, options.PidFile));
        if (await State(context) is { Status: not RuntimeStatus.Running } ended)
            throw StepFailedException.Transient($"{name} ended on {host.Name} as soon as it was started{(ended.ExitCode is { } code ? $", with exit code {code}" : "")}.{await LastLines(context)}");
    }

    public override Task Scale(StepContext context, int replicas) => replicas switch
    {
        0 => Stop(context, TimeSpan.FromSeconds(10)),
        1 => Start(context),
        _ => throw new RunbookException($"{name} is a process of {host.Name}: it can have 0 or 1 instances, not {replicas}."),
    };

    public override async Task<int?> Instances(PlanContext context) => (await State(context)).Status == RuntimeStatus.Running ? 1 : 0;

    public override Tool Exec(PlanContext context, params IReadOnlyList<string> command)
    {
        var mark = $"HELIX_CALL={Guid.NewGuid():N}";
        return LaterTool.For(context, command, inner => Task.FromResult(
            Outer(inner, host.Call(context, inner.Tool.WorkingDirectory ?? options.Directory, [.. inner.Variables], ["env", mark, .. options.Environment.Select(e => $"{e.Key}={e.Value}"), inner.Tool.File, .. inner.Tool.Arguments]))),
            () => EndThere(context, command[0], mark));
    }

    async Task EndThere(PlanContext context, string command, string mark)
    {
        try
        {
            await host.Ask(host.Script(context, EndMarked, mark) with { Cancelled = CancellationToken.None });
        }
        catch (StepFailedException e)
        {
            throw new StepFailedException(FailureClass.Cancelled, $"{command} was interrupted, and may still run on {host.Name}: {e.Message}", $"Look there for {mark} in the environment of processes.", e);
        }
    }

    /// <summary>The same as <see cref="Exec"/>: image and volumes are that machine's.</summary>
    public override Tool OneOff(PlanContext context, params IReadOnlyList<string> command) => Exec(context, command);

    public override async Task<long> CopyOut(StepContext context, string path, Stream to)
    {
        var there = InDirectory(path);
        var wanted = await Sum(context, there);
        await using var measured = new Measured(to);
        await host.Ask(host.Call(context, null, [], "cat", "--", there) with { Output = measured });
        Digest.MustEqual($"{there} of {host.Name}", wanted, (measured.Count, measured.Sha256));
        return measured.Count;
    }

    public override async Task CopyIn(StepContext context, Stream from, string path, FileOwner owner)
    {
        var there = InDirectory(path);
        await using var measured = new Measured(from);
        var answer = await host.Answer(host.Script(context, Receive, there, Path.GetFileName(Unfinished.NameFor(context, there)), owner.Owner ?? "", owner.Mode?.ToString() ?? "") with { Input = measured });
        if (answer.Split('\n') is not [var arrived, var part, var target, ..])
            throw StepFailedException.Transient($"{host.Name} says nothing of the file it got for {there}.");
        if (arrived != measured.Sha256)
            await host.Ask(host.Call(context, null, [], "rm", "-f", "--", part));
        Digest.MustEqual($"{there} of {host.Name}", (measured.Count, measured.Sha256), (measured.Count, arrived));
        await host.Ask(host.Call(context, null, [], "mv", "-f", "--", part, target));
    }

    public override Task Remove(StepContext context, string path) => Path.GetDirectoryName(InDirectory(path)) is null or "/"
        ? throw new RunbookException($"{path} is not removed: it is a top-level folder.")
        : host.Ask(host.Call(context, null, [], "rm", "-rf", "--", InDirectory(path)));

    public override async Task<string> LastLines(PlanContext context)
    {
        if (options.Log is not { } log)
            return "";
        var lines = (await host.Answer(host.Script(context, "tail -n 5 -- \"$1\" 2>/dev/null || true", log))).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return lines.Length == 0 ? "" : $" Last lines of {log}: {string.Join(" | ", lines)}";
    }

    string InDirectory(string path) => Path.GetFullPath(path, options.Directory);

    async Task<(long Size, string Sha256)> Sum(StepContext context, string path)
    {
        var answer = await host.Answer(host.Script(context, "[ -e \"$1\" ] || { echo missing; exit; }; stat -L -c %s -- \"$1\" && sha256sum <\"$1\" | cut -d' ' -f1", path));
        return answer.Split('\n') switch
        {
            ["missing", ..] => throw StepFailedException.Missing($"There is no file {path} on {host.Name}."),
            [var size, var sha, ..] => (long.Parse(size, CultureInfo.InvariantCulture), sha),
            _ => throw StepFailedException.Transient($"{host.Name} says nothing of {path}."),
        };
    }

    static Tool Outer(InnerCall inner, Tool outer) => inner.Tool with { File = outer.File, Arguments = outer.Arguments, WorkingDirectory = null };
}
