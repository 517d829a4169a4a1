using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Http;

/// <summary>An HTTP answer to wait for.</summary>
public sealed record WaitForHttp : HttpQuestion
{
    [Description("The part of the answer to watch: json:PATH, or text for all of it.")]
    public string? Value { get; init; }

    [Description("What the watched value must be. Default: any.")]
    public string? Is { get; init; }
}

public sealed record WaitUntilOptions
{
    [Description("Wait for this answer of a server.")]
    public WaitForHttp? Http { get; init; }

    [Description("Wait until this command ends with 0: executable and arguments.")]
    [Example("[pg_isready, -h, localhost]")]
    public IReadOnlyList<string> Command { get; init; } = [];

    [Description("What the command must print, white space at both ends left away. Default: anything.")]
    public string? Prints { get; init; }

    [Description("It must be so for this long without a break.")]
    public Duration For { get; init; }

    [Description("Time between two looks.")]
    public Duration Interval { get; init; } = new(TimeSpan.FromSeconds(2));

    [Description("Give up after this.")]
    public Duration Within { get; init; } = new(TimeSpan.FromMinutes(5));
}

public sealed record WaitUntilOutputs
{
    public required string Value { get; init; }
    public required int Looks { get; init; }
}

[Step("wait.until", "Looks again and again until a server or a command gives the right answer.", StatesEffect = true)]
sealed class WaitUntil : Step<WaitUntilOptions, WaitUntilOutputs>
{
    public override IEnumerable<TargetEffect> Effects(WaitUntilOptions options) => [TargetEffect.Reads(options.Http?.Target)];

    public override async Task<WaitUntilOutputs> Run(WaitUntilOptions options, StepContext context)
    {
        if (options.Http is null == (options.Command.Count == 0))
            throw new RunbookException("wait.until needs either 'http' or 'command'.");
        var watching = new Watching(context, options.Interval, options.Within, options.For);
        if (options.Http is not { } http)
            return Outputs(await watching.Until(options.Command[0], within => Ask(options, within)));
        using var call = new HttpCall(context, http);
        return Outputs(await watching.Until(call.Shown, new HttpExpectation(call, http.Value, http.Is).Look));
    }

    static async Task<(bool Right, string Value)> Ask(WaitUntilOptions options, StepContext context)
    {
        var result = await context.Tool(options.Command[0], options.Command.Skip(1)).Accept([.. Enumerable.Range(0, 256)]).Quietly().Run();
        var printed = result.Stdout.Trim();
        return result.ExitCode != 0
            ? (false, $"exit code {result.ExitCode} {HttpCall.Short(result.Stderr)}".TrimEnd())
            : (options.Prints is null || printed == options.Prints, printed.Length == 0 ? "exit code 0" : HttpCall.Short(printed));
    }

    static WaitUntilOutputs Outputs((int Looks, string Value) end) => new() { Looks = end.Looks, Value = end.Value };
}
