using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Messages;

public enum Severity { Info, Warning, Critical, Resolved }

public sealed record NotifyOptions
{
    [Description("Where the message goes.")]
    [TargetName("webhook", "slack", "email")]
    public required string Target { get; init; }

    [Description("The message.")]
    [Example("Graph loaded, verifying.")]
    public required string Message { get; init; }

    [Description("Its title. Default: the runbook's name.")]
    public string? Title { get; init; }

    [Description("How serious it is.")]
    public Severity Severity { get; init; }
}

public sealed record NotifyOutputs
{
    /// <summary>False: communication of this run is off.</summary>
    public required bool Sent { get; init; }
}

[Step("notify", "Tells people, by webhook, Slack or mail.", FailureIsWarning = true)]
sealed class Notify : Step<NotifyOptions, NotifyOutputs>
{
    const string Key = "message";

    public override IEnumerable<TargetEffect> Effects(NotifyOptions options) => [TargetEffect.Reads(options.Target)];

    public override Task<StepPlan> Plan(NotifyOptions options, PlanContext context) =>
        Task.FromResult(new StepPlan { Lines = [context.Run.Comms == "off" ? "no message: communication is off" : $"tell {options.Target}: {options.Message}"] });

    public override async Task<NotifyOutputs> Run(NotifyOptions options, StepContext context)
    {
        if (context.Run.Comms == "off")
        {
            context.Log($"not sent, communication is off: {options.Message}");
            return new() { Sent = false };
        }
        await context.Target<MessageTarget>(options.Target).Send(MessageOf(options, await IdOf(context), context), context);
        context.Log($"sent to {options.Target}: {options.Message}");
        return new() { Sent = true };
    }

    /// <summary>Another round says something else, which a receiver must not drop as said already.</summary>
    static Task<string> IdOf(StepContext context) => context.OncePerRound(Key, mark => $"{context.Run.Id}/{context.Path}/{mark}");

    static Message MessageOf(NotifyOptions options, string id, StepContext context) => new()
    {
        Id = id,
        Title = options.Title ?? context.Run.Runbook,
        Text = options.Message,
        Severity = options.Severity.ToString().ToLowerInvariant(),
        Run = context.Run.Id,
        Runbook = context.Run.Runbook,
        Environment = context.Run.Environment,
        Mode = context.Run.Mode,
        Operator = context.Run.Operator,
        At = context.Time.GetUtcNow(),
        Test = context.Run.Comms == "test",
    };
}
