using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Messages;

/// <summary>What is told to people.</summary>
public sealed record Message
{
    /// <summary>The same for every try of one step, so that a receiver can drop the second.</summary>
    public required string Id { get; init; }
    public required string Title { get; init; }
    public required string Text { get; init; }
    public required string Severity { get; init; }

    /// <summary>Null where it is about no run.</summary>
    public string? Run { get; init; }
    public string? Runbook { get; init; }
    public required string Environment { get; init; }
    public string? Mode { get; init; }
    public string? Operator { get; init; }
    public required DateTimeOffset At { get; init; }

    /// <summary>A test of communication, not an incident.</summary>
    public required bool Test { get; init; }

    /// <summary>What it is about, for programs: waiting, at-risk, failed, recovered, overdue, missed or break-glass; null for what a runbook says.</summary>
    public string? Occasion { get; init; }

    /// <summary>The page that shows it; opening it decides nothing.</summary>
    public Uri? Link { get; init; }

    /// <summary>Hash of the last entry of the run's record: kept here, it proves later that nothing before was changed.</summary>
    public string? Head { get; init; }

    [JsonIgnore]
    public string Heading => Test ? $"[TEST] {Title}" : Title;

    /// <summary>What it is about, in one line.</summary>
    [JsonIgnore]
    public string Facts => string.Join(", ", new[]
    {
        Runbook, Run is null ? null : $"run {Run}", Environment, Mode, Operator is null ? null : $"by {Operator}", Head is null ? null : $"record {Head}",
    }.OfType<string>());
}

/// <summary>A way to reach people.</summary>
public abstract record MessageTarget : Target
{
    /// <exception cref="StepFailedException">It was not taken.</exception>
    public abstract Task Send(Message message, PlanContext context);

    public override Task<string?> ReadPlace(PlanContext context) => Task.FromResult<string?>(null);
}

[Target("webhook", "An address that takes a JSON message by POST.")]
public sealed record WebhookTarget : MessageTarget
{
    [Description("The address; a reference, because such addresses often hold a token.")]
    [Example("env:OPS_WEBHOOK")]
    public required Secret Url { get; init; }

    [Description("Headers whose values are secret.")]
    public IReadOnlyDictionary<string, Secret> Headers { get; init; } = new Dictionary<string, Secret>();

    [Description("Key for the header X-Helix-Signature: HMAC-SHA256 of the body, in hexadecimal digits.")]
    public Secret? SigningKey { get; init; }

    [JsonIgnore]
    public override string Address => $"webhook:{Url.References[0]}";

    public override Task Send(Message message, PlanContext context) =>
        new WebhookPost(context, Name, Url, Headers, SigningKey).Send(StepJson.ToJson(message), message.Id);
}

[Target("slack", "An incoming webhook of Slack, or of what takes the same form (Mattermost, Rocket.Chat).")]
public sealed record SlackTarget : MessageTarget
{
    [Description("The webhook's address.")]
    [Example("env:SLACK_WEBHOOK")]
    public required Secret Url { get; init; }

    [JsonIgnore]
    public override string Address => $"slack:{Url.References[0]}";

    public override Task Send(Message message, PlanContext context) =>
        new WebhookPost(context, Name, Url, new Dictionary<string, Secret>(), null).Send(SlackForm.Of(message), message.Id);
}

public enum MailSecurity
{
    /// <summary>Begins in the clear and must then switch to TLS.</summary>
    StartTls,
    Tls,
    /// <summary>For a server on this machine.</summary>
    None,
}

[Target("email", "Mail to people through an SMTP server.")]
public sealed record EmailTarget : MessageTarget
{
    [Description("The SMTP server.")]
    [Example("smtp.example.com")]
    public required string Host { get; init; }

    [Description("Its port.")]
    [Range(1, 65535)]
    public int Port { get; init; } = 587;

    [Description("How the connection is protected.")]
    public MailSecurity Security { get; init; } = MailSecurity.StartTls;

    [Description("Account, when the server wants one.")]
    public string? User { get; init; }

    [Description("Its password.")]
    public Secret? Password { get; init; }

    [Description("The sender.")]
    [Example("helix@example.com")]
    public required string From { get; init; }

    [Description("Who gets it.")]
    [Example("[oncall@example.com]")]
    public required IReadOnlyList<string> To { get; init; }

    [JsonIgnore]
    public override string Address => $"email:{Host}:{Port}";

    public override Task Send(Message message, PlanContext context) => new MailDelivery(this, context).Send(message);
}
