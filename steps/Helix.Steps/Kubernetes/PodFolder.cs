using System.Globalization;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;
using Helix.Steps.Targets;

namespace Helix.Steps.Kubernetes;

/// <summary>Folders of a pod as tar streams. The entries are counted on both sides, since links and what lies behind them get lost silently (K8S-09).</summary>
sealed class PodFolder(PodShell shell, StepContext context)
{
    const string Count = "cd \"$1\" && find . -mindepth 1 2>/dev/null | wc -l";

    public async Task<KubernetesCopyOutputs> Out(string path, string to)
    {
        if (Directory.Exists(to) && Directory.EnumerateFileSystemEntries(to).Any())
            throw StepFailedException.Conflict($"The folder {to} holds something already.", "Name another folder.");
        var (spool, temporary) = (Spool(), $"{to}.helix-{Guid.NewGuid():N}");
        try
        {
            var wanted = await Entries(path);
            (long, string Sha256) archive;
            await using (var file = new FileStream(spool, FileMode.CreateNew, FileAccess.ReadWrite))
            {
                var counted = new CountedStream(file, done => context.Progress(done));
                await Tar(shell.Call(context, "tar", "-cf", "-", "-C", path, ".") with { Output = counted });
                archive = counted.End();
            }
            Directory.CreateDirectory(temporary);
            var tar = new TarReading($"of {shell.Name}:{path}", temporary, keepOwner: false, skipLinksOutside: true, context.Cancelled);
            await using (var file = File.OpenRead(spool))
                await tar.Read(file);
            MustBeAll(path, wanted, Directory.EnumerateFileSystemEntries(temporary, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None }).Count() + tar.Skipped.Count);
            foreach (var line in tar.Skipped)
                context.Log($"WARNING: {line}");
            if (Directory.Exists(to))
                Directory.Delete(to);
            Directory.Move(temporary, to);
            return new() { File = to, Size = tar.Bytes, Sha256 = archive.Sha256, Entries = wanted, Skipped = tar.Skipped };
        }
        finally
        {
            Clear(spool, temporary);
        }
    }

    public async Task<KubernetesCopyOutputs> In(string from, string path)
    {
        var spool = Spool();
        try
        {
            await using var file = new FileStream(spool, FileMode.CreateNew, FileAccess.ReadWrite);
            TarWriting tar;
            await using (tar = new TarWriting(file, from, spool, context.Cancelled))
                await tar.Write(new DirectoryInfo(from).EnumerateFileSystemInfos().Select(e => e.Name));
            if (tar.Faults.Count > 0)
                throw StepFailedException.Partial($"Of {from} not all can be read: {string.Join("; ", tar.Faults.Take(5))}.");
            file.Position = 0;
            await shell.Call(context, "mkdir", "-p", path).Run();
            var counted = new CountedStream(file, done => context.Progress(done, file.Length));
            await Tar(shell.Feed(context, counted, "tar", "-xf", "-", "-C", path));
            var (_, sha256) = counted.End();
            if (await Entries(path) is var there && there < tar.Entries)
                throw StepFailedException.Transient($"{shell.Name}:{path} has {there} entries, and {tar.Entries} were sent.");
            return new() { File = from, Size = tar.Bytes, Sha256 = sha256, Entries = tar.Entries, Skipped = [] };
        }
        finally
        {
            Clear(spool, null);
        }
    }

    void MustBeAll(string path, int wanted, int got)
    {
        if (wanted != got)
            throw StepFailedException.Transient($"{shell.Name}:{path} has {wanted} entries, and {got} arrived.", "Somebody writes there meanwhile, or the stream was cut.");
    }

    async Task<int> Entries(string path) =>
        int.Parse((await shell.Call(context, "sh", "-c", Count, "sh", path).Run()).Stdout.Trim(), CultureInfo.InvariantCulture);

    async Task Tar(Tool tool)
    {
        try
        {
            await tool.Run();
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Missing)
        {
            throw new StepFailedException(FailureClass.Missing, $"A folder cannot be copied with {shell.Name}: its image holds no tar.", "Copy its files one by one, which needs only cat, or use an image with tar.", e);
        }
    }

    string Spool()
    {
        Directory.CreateDirectory(context.Run.Work);
        return Path.Combine(context.Run.Work, $".copy-{Guid.NewGuid():N}.tar");
    }

    static void Clear(string spool, string? folder)
    {
        File.Delete(spool);
        if (folder is not null && Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }
}
