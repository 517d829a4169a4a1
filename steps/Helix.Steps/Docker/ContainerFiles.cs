using Helix.Runbooks.Steps;
using Helix.Steps.Files;
using Helix.Steps.Targets;

namespace Helix.Steps.Docker;

/// <summary>Files of one container, running or stopped: links followed, bytes compared, owner and mode kept (DOC-04, DOC-05).</summary>
sealed class ContainerFiles(DockerEngine engine, StepContext context, Container container)
{
    const int MostLinks = 10;

    public async Task<long> CopyOut(string path, Stream to)
    {
        var sent = await ContainerTar.ReadFile(engine, context, container, path, to);
        var again = await ContainerTar.ReadFile(engine, context, container, path, Stream.Null);
        if (sent != again)
            throw StepFailedException.Transient($"{container.Name}:{path} changed while it was copied ({sent.Size} bytes, then {again.Size}).", "Stop the service first, or copy a file that is not written any more.");
        return sent.Size;
    }

    public async Task CopyIn(Stream from, string path, FileOwner owner)
    {
        var (target, there) = await Follow(path);
        var (folder, name) = (Parent(target), target[(target.LastIndexOf('/') + 1)..]);
        if (there is { IsFile: false })
            throw StepFailedException.InvalidData($"{container.Name}:{path} is a {there.Type}, not a file.");
        var parent = await ContainerTar.Look(engine, context, container, folder)
            ?? throw StepFailedException.Missing($"{container.Name}:{path} cannot be written: there is no folder {folder}.");
        var like = await Wanted(owner, there, parent);
        // A stopped service reads nothing: only where a rename cannot be done the file is written in place.
        var inPlace = !container.Runs && !container.IsOnVolume(target);
        if (inPlace)
        {
            await Check(target, path, await Send(from, folder, name, like), like);
            return;
        }
        // One name for all attempts: what one that was killed has left is replaced by the next.
        var written = Unfinished.NameFor(context, target);
        var beside = Path.GetFileName(written);
        try
        {
            await Check(written, path, await Send(from, folder, beside, like), like);
            await Run("mv", "-f", written, target);
        }
        catch
        {
            await RemovePartial(written);
            throw;
        }
    }

    /// <summary>Nothing of ours stays among the data of the service, also when the step is cancelled.</summary>
    async Task RemovePartial(string path)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20), context.Time);
        try
        {
            await new ContainerFiles(engine, context.Until(limit.Token), container).Run("rm", "-f", path);
        }
        catch (Exception e) when (e is StepFailedException or OperationCanceledException)
        {
            context.Log($"{container.Name}:{path} is left over and could not be removed: {e.Message}");
        }
    }

    public async Task Remove(string path)
    {
        if (Parent(path) == "/")
            throw new RunbookException($"{container.Name}:{path} is not removed: it is a top-level folder.");
        if (await ContainerTar.Look(engine, context, container, path) is null)
            return;
        if (!container.Runs && !container.IsOnVolume(path))
            throw StepFailedException.Conflict($"{container.Name}:{path} cannot be removed: the container does not run and the path is not on a volume.", "Start the service first.");
        await Run("rm", "-rf", path);
    }

    async Task<(string Path, ContainerPath? There)> Follow(string path)
    {
        for (var i = 0; i < MostLinks; i++)
        {
            var there = await ContainerTar.Look(engine, context, container, path);
            if (there is not { IsLink: true })
                return (path, there);
            path = Path.GetFullPath(there.Link, Parent(path));
        }
        throw StepFailedException.InvalidData($"{container.Name}:{path} is a link that leads to links without end.");
    }

    async Task<ContainerPath> Wanted(FileOwner owner, ContainerPath? there, ContainerPath parent)
    {
        var like = there ?? parent with { Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead };
        if (owner.Mode is { } mode)
            like = like with { Mode = mode.Value };
        if (owner.Owner is { } name)
        {
            var (uid, gid) = await Ids(name);
            like = like with { Uid = uid, Gid = gid };
        }
        return like;
    }

    /// <summary>Names are those of the container, not of this machine.</summary>
    async Task<(int Uid, int Gid)> Ids(string owner)
    {
        var parts = owner.Split(':', 2);
        var users = int.TryParse(parts[0], out _) ? [] : await Table("/etc/passwd");
        var user = users.FirstOrDefault(u => u[0] == parts[0]);
        var uid = int.TryParse(parts[0], out var number) ? number : user is not null ? int.Parse(user[2]) : throw Unknown("user", parts[0]);
        if (parts.Length == 1)
            return (uid, user is not null ? int.Parse(user[3]) : uid);
        if (int.TryParse(parts[1], out var gid))
            return (uid, gid);
        var group = (await Table("/etc/group")).FirstOrDefault(g => g[0] == parts[1]) ?? throw Unknown("group", parts[1]);
        return (uid, int.Parse(group[2]));
    }

    async Task<List<string[]>> Table(string path)
    {
        using var text = new MemoryStream();
        await ContainerTar.ReadFile(engine, context, container, path, text);
        return [.. System.Text.Encoding.UTF8.GetString(text.ToArray()).Split('\n').Select(l => l.Split(':')).Where(f => f.Length >= 4)];
    }

    StepFailedException Unknown(string kind, string name) =>
        StepFailedException.Missing($"{container.Name} knows no {kind} '{name}'.", "Give the number, as \"7474:7474\".");

    /// <summary>A tar stream begins with the size, so a stream of unknown length is put down here first.</summary>
    async Task<(long Size, string Sha256)> Send(Stream from, string folder, string name, ContainerPath like)
    {
        Directory.CreateDirectory(context.Run.Work);
        var spool = Path.Combine(context.Run.Work, $".copy-{Guid.NewGuid():N}");
        await using var file = new FileStream(spool, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        var sent = await Digest.Copy(from, file, context.Cancelled);
        file.Position = 0;
        await ContainerTar.WriteFile(engine, context, container, folder, name, file, like);
        return sent;
    }

    async Task Check(string written, string path, (long, string) sent, ContainerPath like)
    {
        Digest.MustEqual($"{container.Name}:{path}", sent, await ContainerTar.ReadFile(engine, context, container, written, Stream.Null));
        var now = await ContainerTar.Look(engine, context, container, written);
        if (now is null || (now.Uid, now.Gid, now.Mode) != (like.Uid, like.Gid, like.Mode))
            throw StepFailedException.InvalidData($"{container.Name}:{path} has owner {now?.Uid}:{now?.Gid} and mode {Octal(now?.Mode ?? 0)} instead of {like.Uid}:{like.Gid} and {Octal(like.Mode)}.");
    }

    Task<ToolResult> Run(string command, params string[] arguments) => DockerEngine.Ask(container.Runs
        ? engine.Call(context, ["exec", "-u", "0", container.Id, command, .. arguments])
        : engine.Call(context, ["run", "--rm", "--pull=never", "--network", "none", "-u", "0", "--volumes-from", container.Id, "--entrypoint", command, container.Image, .. arguments]));

    static string Parent(string path) => path.LastIndexOf('/') is > 0 and var at ? path[..at] : "/";
    static string Octal(UnixFileMode mode) => new Mode(mode).ToString();
}
