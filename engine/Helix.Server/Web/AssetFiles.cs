using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Web;

/// <summary>Style sheet, script and icon out of the assembly. Their addresses hold their digest, so browsers keep them for ever.</summary>
static class AssetFiles
{
    static readonly Dictionary<string, (byte[] Bytes, string Type, string Digest)> All = Load();

    public static string Url(string name) => $"/assets/{All[name].Digest}/{name}";

    public static void MapAssets(this IEndpointRouteBuilder app) => app.MapGet("/assets/{digest}/{name}", (string name, HttpContext http) =>
    {
        if (!All.TryGetValue(name, out var asset))
            return Results.NotFound();
        http.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        return Results.Bytes(asset.Bytes, asset.Type);
    }).WithMetadata(new Open()).ExcludeFromDescription();

    static Dictionary<string, (byte[] Bytes, string Type, string Digest)> Load()
    {
        var assembly = typeof(AssetFiles).Assembly;
        return assembly.GetManifestResourceNames().Where(n => n.StartsWith("assets.", StringComparison.Ordinal)).ToDictionary(n => n["assets.".Length..], name =>
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return (bytes, TypeOf(name), Convert.ToHexStringLower(SHA256.HashData(bytes))[..12]);
        });
    }

    static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };
}
