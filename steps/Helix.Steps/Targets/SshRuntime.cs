using System.Globalization;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Targets;

/// <summary>A service that is a plain process of another machine, reached by ssh; the same pid file and log as for one of this machine.</summary>
sealed class SshRuntime(ProcessOptions options, SshHost host, string name) : Runtime
{
    // The pid counts only if its process is not younger than the file: after a boot it may belong to another one.
    const string Look =
        """
        pid=$(cat "$1" 2>/dev/null)
        if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
          born=$(( $(date +%s) - $(ps -o etimes= -p "$pid") ))
          [ "$born" -le $(( $(stat -c %Y "$1") + 5 )) ] && { echo "running $pid"; exit 0; }
        fi
        echo "stopped $(cat "$1.exit" 2>/dev/null)"
        """;

    const string End =
        """
        pid=$(cat "$1"); left=$(( $2 * 10 ))
        kill -TERM "$pid" 2>/dev/null
        while kill -0 "$pid" 2>/dev/null && [ "$left" -gt 0 ]; do sleep 0.1; left=$(( left - 1 )); done
        kill -0 "$pid" 2>/dev/null || { sleep 0.3; exit 0; }
        kill -KILL "$pid"; sleep 0.5; echo killed
        """;

    const string Receive =
        """
        target=$(readlink -f -- "$1"); like=$target
        [ -e "$like" ] || like=$(dirname -- "$target")
        part=$(dirname -- "$target")/.helix-$2
        cat >"$part" && sync -- "$part" && chown "${3:-$(stat -L -c %u:%g -- "$like")}" "$part" || { rm -f -- "$part"; exit 1; }
        if [ -n "$4" ]; then chmod "$4" "$part"; elif [ -e "$target" ]; then chmod "$(stat -L -c %a -- "$target")" "$part"; else chmod 640 "$part"; fi
        sha256sum <"$part" | cut -d' ' -f1; echo "$part"; echo "$target"
        """;

    public override string Address => $"process:{host.Name}:{options.Directory}";
    public override IReadOnlyList<string> Tools => ["ssh"];
    public override string StartCommand => host.ShellPrefix + Shell.Quoted(options.ShellStart);

    public override async Task<string?> Place(PlanContext context)
    {
        var result = await host.Ask(host.Script(context, "uname -n"));
        return $"{result.Stdout.Trim()}:{options.Directory}";
    }

    public override async Task<RuntimeState> State(PlanContext context)
    {
        var words = (await host.Ask(host.Script(context, Look, options.PidFile))).Stdout.Trim().Split(' ');
        return words is ["running", var pid] ? new(RuntimeStatus.Running, Detail: $"pid {pid} on {host.Name}")
            : new(RuntimeStatus.Stopped, ExitCode: words.Length > 1 && int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? code : null);
    }

    public override async Task<RuntimeState> Stop(StepContext context, TimeSpan grace)
    {
        if (await State(context) is { Status: not RuntimeStatus.Running } stopped)
            return stopped;
        var seconds = Math.Max(1, (int)Math.Ceiling(grace.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        var killed = (await host.Ask(host.Script(context, End, options.PidFile, seconds))).Stdout.Contains("killed", StringComparison.Ordinal);
        var state = await State(context);
        if (state.Status == RuntimeStatus.Running)
            throw StepFailedException.Conflict($"{name} on {host.Name} ({state.Detail}) lives on after SIGKILL.", "It hangs in the kernel, as on a dead network mount.");
        return state with { ExitCode = killed ? 137 : state.ExitCode, Detail = killed ? $"killed after {new Duration(grace)}" : null };
    }

    public override async Task Start(StepContext context)
    {
        if ((await State(context)).Status == RuntimeStatus.Running)
            return;
        var variables = options.Environment.Select(e => $"{e.Key}={e.Value}");
        string[] detached = ["/bin/sh", "-c", ProcessRuntime.Detach, "sh", options.PidFile, options.Log ?? "/dev/null", .. options.Start];
        await host.Ask(host.Call(context, options.Directory, [], ["env", .. variables, .. detached]));
        await host.Ask(host.Script(context, "n=100; until [ -s \"$1\" ] || [ -s \"$1.exit\" ] || [ $n = 0 ]; do sleep 0.1; n=$((n-1)); done; sleep 0.2", options.PidFile));
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

    public override Tool Exec(PlanContext context, params IReadOnlyList<string> command) => LaterTool.For(context, command, inner => Task.FromResult(
        Outer(inner, host.Call(context, inner.Tool.WorkingDirectory ?? options.Directory, [.. inner.Variables], [.. options.Environment.Count > 0 ? ["env", .. options.Environment.Select(e => $"{e.Key}={e.Value}")] : Array.Empty<string>(), inner.Tool.File, .. inner.Tool.Arguments]))));

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
        var result = await host.Ask(host.Script(context, Receive, there, Guid.NewGuid().ToString("N"), owner.Owner ?? "", owner.Mode?.ToString() ?? "") with { Input = measured });
        if (result.Stdout.Split('\n') is not [var arrived, var part, var target, ..])
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
        var lines = (await host.Ask(host.Script(context, "tail -n 5 -- \"$1\" 2>/dev/null || true", log))).Stdout.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return lines.Length == 0 ? "" : $" Last lines of {log}: {string.Join(" | ", lines)}";
    }

    string InDirectory(string path) => Path.GetFullPath(path, options.Directory);

    async Task<(long Size, string Sha256)> Sum(StepContext context, string path)
    {
        var result = await host.Script(context, "[ -e \"$1\" ] || exit 9; stat -L -c %s -- \"$1\" && sha256sum <\"$1\" | cut -d' ' -f1", path).Accept(0, 9).Quietly().Run();
        return result.ExitCode == 9 ? throw StepFailedException.Missing($"There is no file {path} on {host.Name}.")
            : result.Stdout.Split('\n') is [var size, var sha, ..] ? (long.Parse(size, CultureInfo.InvariantCulture), sha)
            : throw StepFailedException.Transient($"{host.Name} says nothing of {path}.");
    }

    static Tool Outer(InnerCall inner, Tool outer) => inner.Tool with { File = outer.File, Arguments = outer.Arguments, WorkingDirectory = null };
}
