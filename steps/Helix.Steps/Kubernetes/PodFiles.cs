using System.Globalization;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Kubernetes;

/// <summary>Files of one container of a pod, as streams of <c>cat</c>: <c>kubectl cp</c> needs tar in the image and cuts large files with exit code 0 (K8S-01, K8S-02). Size and SHA-256 are taken on both sides.</summary>
sealed class PodFiles(PodShell shell, StepContext context)
{
    const string Look =
        """
        t=$(readlink -f "$1" 2>/dev/null) || t=$1
        [ -n "$t" ] || t=$1
        d=${t%/*}; [ -n "$d" ] || d=/
        [ -d "$d" ] || { echo "there is no folder $d" >&2; exit 66; }
        [ -d "$t" ] && { echo "$t is a folder" >&2; exit 65; }
        if [ -e "$t" ]; then l=$t; else l=$d; fi
        echo "$t"
        stat -c '%u:%g %a' "$l" 2>/dev/null || echo '-'
        [ "$l" = "$t" ] && echo file || echo folder
        """;

    public async Task<(long Size, string Sha256)> Out(string path, Stream to)
    {
        var counted = new CountedStream(to, done => context.Progress(done));
        await Run(shell.Call(context, "cat", path) with { Output = counted }, path);
        var got = counted.End();
        Digest.MustEqual($"{shell.Name}:{path}", await Measure(path), got);
        return got;
    }

    public async Task<(long Size, string Sha256)> In(Stream from, string path, FileOwner owner)
    {
        var look = (await Run(shell.Call(context, "sh", "-c", Look, "sh", path), path)).Stdout.Split('\n');
        var (target, like, isFile) = (look[0], look[1], look.Length > 2 && look[2] == "file");
        var temporary = $"{(target.LastIndexOf('/') is > 0 and var at ? target[..at] : "")}/.{target[(target.LastIndexOf('/') + 1)..]}.helix-{Guid.NewGuid():N}";
        try
        {
            var counted = new CountedStream(from, done => context.Progress(done));
            await Run(shell.Feed(context, counted, "sh", "-c", "umask 077; cat >\"$1\"", "sh", temporary), path);
            var sent = counted.End();
            Digest.MustEqual($"{shell.Name}:{path}", sent, await Measure(temporary));
            await Run(shell.Call(context, "sh", "-c", "[ -z \"$1\" ] || chown \"$1\" \"$3\" || exit 77; [ -z \"$2\" ] || chmod \"$2\" \"$3\"; mv -f \"$3\" \"$4\"", "sh",
                owner.Owner ?? (like == "-" ? "" : like.Split(' ')[0]), Mode(owner, like, isFile), temporary, target), path);
            return sent;
        }
        catch
        {
            await RemovePartial(temporary);
            throw;
        }
    }

    static string Mode(FileOwner owner, string like, bool isFile) => owner.Mode?.ToString() ?? (isFile && like.Split(' ') is [_, var mode] ? mode : "640");

    async Task RemovePartial(string path)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10), context.Time);
        try
        {
            await shell.Call(context.Until(limit.Token), "rm", "-f", path).Run();
        }
        catch (StepFailedException e)
        {
            context.Log($"{shell.Name}:{path} is left over and could not be removed: {e.Message}");
        }
    }

    /// <summary>By the pod itself where its image can; else all of it is read once more.</summary>
    async Task<(long, string)> Measure(string path)
    {
        try
        {
            var said = (await Run(shell.Call(context, "sh", "-c", "sha256sum \"$1\" && wc -c <\"$1\"", "sh", path), path)).Stdout.Split('\n');
            return (long.Parse(said[1].Trim(), CultureInfo.InvariantCulture), said[0].TrimStart('\\')[..64]);
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Missing && !IsNoFile(e))
        {
            var again = new CountedStream(Stream.Null, _ => { });
            await Run(shell.Call(context, "cat", path) with { Output = again }, path);
            return again.End();
        }
    }

    static bool IsNoFile(StepFailedException e) => e.Message.StartsWith("There is no ", StringComparison.Ordinal);

    async Task<ToolResult> Run(Tool tool, string path)
    {
        try
        {
            return await tool.Run();
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Transient && (e.Message.Contains("No such file", StringComparison.Ordinal) || e.Message.Contains("there is no folder", StringComparison.Ordinal)))
        {
            throw new StepFailedException(FailureClass.Missing, $"There is no {shell.Name}:{path}, or not its folder.", null, e);
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Transient && e.Message.Contains("folder", StringComparison.Ordinal))
        {
            throw new StepFailedException(FailureClass.InvalidData, $"{shell.Name}:{path} is a folder, not a file.", null, e);
        }
    }
}
