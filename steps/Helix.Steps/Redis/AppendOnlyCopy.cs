using System.Formats.Tar;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;
using Helix.Steps.Targets;

namespace Helix.Steps.Redis;

/// <summary>Copies the parts of an append-only folder that belong together, by keeping rewrites away meanwhile (RED-14).</summary>
static class AppendOnlyCopy
{
    const string Rewriting = "auto-aof-rewrite-percentage";
    const int Tries = 3;

    public static async Task<(long Size, string Sha256, string Folder)> Take(Runtime runtime, RedisConnection redis, string to, StepContext context)
    {
        if (await redis.Setting("appendonly") != "yes")
            throw StepFailedException.Conflict($"{redis.Name} keeps no append-only file.", "Save with `include: rdb`.");
        var folder = await redis.Setting("appenddirname") is { } name
            ? $"{(await redis.Setting("dir"))!.TrimEnd('/')}/{name}"
            : throw StepFailedException.Conflict($"{redis.Name} is older than Redis 7 and has no append-only folder.", "Save with `include: rdb`.");
        var manifest = $"{folder}/{await redis.Setting("appendfilename")}.manifest";
        var percentage = await HoldRewrites(redis, context);
        try
        {
            await RewriteEnded(redis, context);
            return await Copy(runtime, redis, manifest, to, context) is var (size, sha256) ? (size, sha256, folder) : default;
        }
        finally
        {
            await LetRewrite(redis, percentage, context);
        }
    }

    static async Task<string> HoldRewrites(RedisConnection redis, StepContext context)
    {
        var percentage = (string?)context.Saved(Rewriting) ?? await redis.Setting(Rewriting) ?? "100";
        await context.Save(Rewriting, JsonValue.Create(percentage));
        await context.Leave(new()
        {
            Key = $"aof-rewrite:{redis.Name}",
            Kind = ResidueKind.Other,
            What = $"{redis.Name} does not rewrite its append-only file by itself",
            Command = $"redis-cli CONFIG SET {Rewriting} {percentage}",
        });
        await redis.Set(Rewriting, "0");
        return percentage;
    }

    static async Task LetRewrite(RedisConnection redis, string percentage, StepContext context)
    {
        // Cancelled or not, the setting goes back.
        await redis.SendAnyway("CONFIG", "SET", Rewriting, percentage);
        await context.TakeBack($"aof-rewrite:{redis.Name}");
    }

    static async Task RewriteEnded(RedisConnection redis, StepContext context)
    {
        for (var info = await redis.Info("persistence"); info.Flag("aof_rewrite_in_progress") || info.Flag("aof_rewrite_scheduled"); info = await redis.Info("persistence"))
        {
            context.Progress(0, null, "bytes");
            await context.Delay(TimeSpan.FromMilliseconds(100));
        }
    }

    static async Task<(long, string)> Copy(Runtime runtime, RedisConnection redis, string manifest, string to, StepContext context)
    {
        for (var i = 0; i < Tries; i++)
        {
            var before = await Manifest(runtime, manifest, context);
            var sha256 = await LocalFile.Write(to, file => Archive(manifest, before, file, Growing, context), path => Sha256(path, context));
            if (await Manifest(runtime, manifest, context) == before)
                return (new FileInfo(to).Length, sha256);
            File.Delete(to);
            context.Log($"{redis.Name} began a rewrite during the copy; copying again.");
            await RewriteEnded(redis, context);
        }
        throw StepFailedException.Transient($"The append-only parts of {redis.Name} changed during each of {Tries} copies.", "Who sends BGREWRITEAOF?");

        // The server goes on writing to the last part; one cut in the middle of a command loads up to the command before.
        async Task<bool> Growing(string part, Stream spool)
        {
            await (runtime.Exec(context, "cat", part).Quietly() with { Output = spool }).Run();
            return true;
        }
    }

    /// <summary>Writes the parts that a manifest names into a tar archive; the manifest last: without it the parts are nothing.</summary>
    /// <param name="copy">Copies one part; false when it is not there and may be left out.</param>
    public static async Task Archive(string manifest, string text, Stream to, Func<string, Stream, Task<bool>> copy, StepContext context)
    {
        var folder = Path.GetDirectoryName(manifest)!;
        await using var tar = new TarWriter(to, TarEntryFormat.Pax, leaveOpen: true);
        foreach (var (part, _) in Parts(text))
        {
            await using var spool = Spool();
            if (await copy($"{folder}/{part}", spool))
                await Add(part, spool);
        }
        await Add(Path.GetFileName(manifest), new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text)));

        async Task Add(string name, Stream content)
        {
            content.Position = 0;
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, $"{Path.GetFileName(folder)}/{name}") { DataStream = content }, context.Cancelled);
            context.Progress(to.Position);
        }
    }

    /// <summary>Lines as <c>file appendonly.aof.1.base.rdb seq 1 type b</c>; h is history, which the server no longer reads.</summary>
    public static IEnumerable<(string File, long Number)> Parts(string manifest) =>
        from line in manifest.Split('\n')
        let words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        where words.Length >= 6 && words[0] == "file" && words[5] != "h"
        select (words[1], long.Parse(words[3], CultureInfo.InvariantCulture));

    static async Task<string> Manifest(Runtime runtime, string path, StepContext context) =>
        await ServiceFile.Text(runtime, path, context) ?? throw StepFailedException.Missing($"There is no {path} in the service.");

    static FileStream Spool() =>
        new(Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose | FileOptions.Asynchronous);

    static async Task<string> Sha256(string path, StepContext context)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, context.Cancelled));
    }
}
