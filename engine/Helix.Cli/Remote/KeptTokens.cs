using System.Text.Json.Nodes;

namespace Helix.Cli.Remote;

/// <summary>Tokens of servers, in a file that only this account can read.</summary>
static class KeptTokens
{
    static string Path => System.IO.Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } xdg ? xdg : System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config"),
        "helix", "tokens.json");

    public static string? Of(Uri server) => Read()[server.ToString()]?.GetValue<string>();

    /// <param name="token">Null forgets it.</param>
    public static void Keep(Uri server, string? token)
    {
        var all = Read();
        all.Remove(server.ToString());
        if (token is not null)
            all[server.ToString()] = token;
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        // Never readable by others, not even for a moment.
        var fresh = Path + ".new";
        using (var file = new FileStream(fresh, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        using (var writer = new StreamWriter(file))
            writer.Write(all.ToJsonString());
        File.Move(fresh, Path, overwrite: true);
    }

    static JsonObject Read() => File.Exists(Path) ? JsonNode.Parse(File.ReadAllText(Path))!.AsObject() : [];
}
