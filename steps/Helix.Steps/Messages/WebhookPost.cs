using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Http;

namespace Helix.Steps.Messages;

/// <summary>Posts JSON to an address that nobody may see.</summary>
sealed class WebhookPost(PlanContext context, string name, Secret url, IReadOnlyDictionary<string, Secret> headers, Secret? signingKey)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public async Task Send(JsonObject body, string id)
    {
        if (!Uri.TryCreate(await context.Reveal(url), UriKind.Absolute, out var address) || address.Scheme is not "http" and not "https")
            throw StepFailedException.InvalidData($"The secret of target '{name}' is no HTTP address.");
        var bytes = Encoding.UTF8.GetBytes(body.ToJsonString());
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(bytes) };
        request.Content.Headers.ContentType = new("application/json") { CharSet = "utf-8" };
        request.Headers.Add("Idempotency-Key", id);
        foreach (var (header, secret) in headers)
            request.Headers.TryAddWithoutValidation(header, await context.Reveal(secret));
        if (signingKey is { } key)
            request.Headers.Add("X-Helix-Signature", "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(await context.Reveal(key)), bytes)));
        await Send(request);
    }

    async Task Send(HttpRequestMessage request)
    {
        // A redirect would carry the message, and its headers, to somebody else.
        using var client = context.Http(new() { Timeout = Patience, FollowRedirects = false });
        try
        {
            using var response = await client.SendAsync(request, context.Cancelled);
            if (!response.IsSuccessStatusCode)
                throw new StepFailedException(HttpCall.ClassOf((int)response.StatusCode), $"The target '{name}' answered {(int)response.StatusCode} to the message.", "Nobody was told by this way.");
        }
        catch (HttpRequestException e)
        {
            // Without the inner exception: its text holds the host.
            throw new StepFailedException(FailureClass.Transient, $"The target '{name}' did not take the message: {HttpCall.Reason(e)}.", "Nobody was told by this way.");
        }
        catch (OperationCanceledException) when (!context.Cancelled.IsCancellationRequested)
        {
            throw new StepFailedException(FailureClass.Transient, $"The target '{name}' did not take the message within {Patience.TotalSeconds} s.", "Nobody was told by this way.");
        }
    }
}

/// <summary>The form that Slack wants.</summary>
static class SlackForm
{
    const int LongestText = 2500; // Slack takes 3000 in a section, and a link comes with it

    public static JsonObject Of(Message message)
    {
        var title = message.Heading;
        var text = message.Text.Length <= LongestText ? message.Text : message.Text[..LongestText] + "…";
        return new JsonObject
        {
            ["text"] = $"{title}: {text}",
            ["blocks"] = new JsonArray(
                Block("header", new JsonObject { ["type"] = "plain_text", ["text"] = title.Length <= 150 ? title : title[..149] + "…" }),
                Block("section", new JsonObject { ["type"] = "mrkdwn", ["text"] = Escaped(message.Link is { } link ? $"{text}\n{link}" : text) }),
                new JsonObject
                {
                    ["type"] = "context",
                    ["elements"] = new JsonArray(new JsonObject { ["type"] = "mrkdwn", ["text"] = Escaped(message.Facts) }),
                }),
        };
    }

    static JsonObject Block(string type, JsonObject text) => new() { ["type"] = type, ["text"] = text };

    static string Escaped(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);
}
