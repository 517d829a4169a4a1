using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Vault;

/// <summary>
/// A snapshot of Vault's integrated storage: a gzipped tar with meta.json, state.bin (encrypted by Vault itself) and SHA256SUMS over both.
/// A transfer that broke off without anybody saying so shows here.
/// </summary>
sealed record SnapshotFile(long Size, string Sha256, long Index, long Term, long StateSize)
{
    const int LargestText = 8192;

    /// <exception cref="StepFailedException">It is damaged, cut off, or something else.</exception>
    public static async Task<SnapshotFile> Read(string path, CancellationToken cancelled)
    {
        try
        {
            var parts = new SnapshotParts();
            await using (var file = File.OpenRead(path))
            await using (var unzipped = new GZipStream(file, CompressionMode.Decompress))
            await using (var tar = new TarReader(unzipped))
                while (await tar.Next(cancelled) is { } entry)
                    await parts.Take(entry, cancelled);
            var meta = parts.Checked(path);
            await using var whole = File.OpenRead(path);
            return new(whole.Length, Convert.ToHexStringLower(await SHA256.HashDataAsync(whole, cancelled)), Number(meta["Index"]), Number(meta["Term"]), parts.StateSize);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or System.Text.Json.JsonException)
        {
            throw new StepFailedException(FailureClass.InvalidData, $"{path} is no whole Vault snapshot: {e.Message}", "It was cut off, or is something else.", e);
        }
    }

    static long Number(JsonNode? node) => node is null ? 0 : long.Parse(node.ToString(), CultureInfo.InvariantCulture);

    sealed class SnapshotParts
    {
        readonly Dictionary<string, string> _sums = [];
        byte[] _meta = [];
        string? _stated;

        public long StateSize { get; private set; }

        public async Task Take(TarEntry entry, CancellationToken cancelled)
        {
            if (entry.DataStream is not { } data)
                return;
            switch (entry.Name)
            {
                case "state.bin":
                    StateSize = entry.Length;
                    _sums[entry.Name] = Convert.ToHexStringLower(await SHA256.HashDataAsync(data, cancelled));
                    break;
                case "meta.json":
                    _meta = await Small(data, cancelled);
                    _sums[entry.Name] = Convert.ToHexStringLower(SHA256.HashData(_meta));
                    break;
                case "SHA256SUMS":
                    _stated = Encoding.ASCII.GetString(await Small(data, cancelled));
                    break;
            }
        }

        /// <summary>Every part is there and has the sum that the list states.</summary>
        public JsonObject Checked(string path)
        {
            var stated = (_stated ?? throw Bad(path, "it holds no SHA256SUMS")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(l => l.Split("  ", 2)).Where(l => l.Length == 2).ToDictionary(l => l[1].Trim(), l => l[0]);
            foreach (var name in (string[])["meta.json", "state.bin"])
                if (!_sums.TryGetValue(name, out var sum) || !stated.TryGetValue(name, out var wanted))
                    throw Bad(path, $"{name} is missing");
                else if (sum != wanted)
                    throw Bad(path, $"the checksum of {name} differs");
            return JsonNode.Parse(_meta) as JsonObject ?? throw Bad(path, "meta.json is no object");
        }

        static async Task<byte[]> Small(Stream data, CancellationToken cancelled)
        {
            using var kept = new MemoryStream();
            await data.CopyToAsync(kept, cancelled);
            return kept.Length <= LargestText ? kept.ToArray() : throw new InvalidDataException("a list in it is too long");
        }

        static StepFailedException Bad(string path, string why) => StepFailedException.InvalidData($"{path} is no whole Vault snapshot: {why}.", "Take another one; if it came from a backup, mark that as rejected: helix backups reject.");
    }
}
