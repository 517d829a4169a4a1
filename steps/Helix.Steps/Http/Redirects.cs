namespace Helix.Steps.Http;

/// <summary>Redirects are followed here and not by .NET, which makes a GET of a POST and hands secret headers to whatever server it is sent to.</summary>
static class Redirects
{
    /// <returns>Null where the answer sends nowhere.</returns>
    public static Uri? Of(HttpResponseMessage response, Uri asked) =>
        (int)response.StatusCode is 301 or 302 or 303 or 307 or 308 && response.Headers.Location is { } to && Uri.TryCreate(asked, to, out var address) && address.Scheme is "http" or "https"
            ? address
            : null;

    public static bool MayFollow(Uri from, Uri to, bool withSecrets) =>
        IsSameServer(from, to) || !withSecrets && !(from.Scheme == "https" && to.Scheme == "http");

    static bool IsSameServer(Uri one, Uri other) => Uri.Compare(one, other, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0;
}
