using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Http;

public sealed record HttpCheckOptions : HttpQuestion
{
    [Description("The part of the answer to watch: json:PATH, or text for all of it.")]
    [Example("json:$.status")]
    public string? Value { get; init; }

    [Description("What the watched value must be. Default: any.")]
    [Example("up")]
    public string? Is { get; init; }

    [Description("It must be right for this long without a break.")]
    public Duration HealthyFor { get; init; }

    [Description("Time between two requests.")]
    public Duration Interval { get; init; } = new(TimeSpan.FromSeconds(2));

    [Description("Give up after this.")]
    public Duration Within { get; init; } = new(TimeSpan.FromMinutes(2));
}

public sealed record HttpCheckOutputs
{
    /// <summary>The last watched value, or the status code.</summary>
    public required string Value { get; init; }
    public required int Requests { get; init; }
}

[Step("http.check", "Waits until a server has answered rightly for a while.")]
sealed class HttpCheck : Step<HttpCheckOptions, HttpCheckOutputs>
{
    public override IEnumerable<TargetEffect> Effects(HttpCheckOptions options) => [TargetEffect.Reads(options.Target)];

    public override async Task<HttpCheckOutputs> Run(HttpCheckOptions options, StepContext context)
    {
        using var call = new HttpCall(context, options);
        var watching = new Watching(context, options.Interval, options.Within, options.HealthyFor);
        var (looks, value) = await watching.Until(call.Shown, new HttpExpectation(call, options.Value, options.Is).Look);
        return new() { Value = value, Requests = looks };
    }
}
