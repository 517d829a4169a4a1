using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Helix.Cli.Driving;

/// <summary>An answer as it was typed.</summary>
sealed record TypedAnswer
{
    public required string Run { get; init; }
    public string? Question { get; init; }
    public required string Choice { get; init; }
    public string? Reason { get; init; }
    public string? Evidence { get; init; }
    public JsonObject Inputs { get; init; } = [];
    public string? To { get; init; }
    public JsonObject? With { get; init; }
    public JsonObject? Outputs { get; init; }
    public bool BreakGlass { get; init; }
    public string? KeyFile { get; init; }
    public bool Resume { get; init; }
}

/// <summary>The options that approve, reject and decide share.</summary>
sealed class AnswerOptions(Session session, bool reasonRequired)
{
    readonly Option<string?> _reason = Given.Reason(reasonRequired);
    readonly Option<string?> _evidence = Given.Text("--evidence", "TEXT", "Proof in words or a link.");
    readonly Option<string[]> _inputs = Given.Inputs("A field of the form, or for go-back an input of the runbook. May be repeated.");
    readonly Option<string?> _sign = Given.Text("--sign", "KEYFILE", "Signs the answer with this SSH key (ssh-keygen -Y sign); the agent may hold it.");
    readonly Option<bool> _resume = Given.Flag("--resume", "Goes on with the run when nobody drives it.");

    public Argument<string> Run { get; } = Given.Run(session);
    public Option[] All => [_reason, _evidence, _inputs, _sign, _resume];

    public static Argument<string?> Question(bool optional) => new("QUESTION")
    {
        Description = "The id of the question or the path of its step" + (optional ? "; not needed when one is open." : "."),
        Arity = optional ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
    };

    public TypedAnswer Of(ParseResult parsed, string? question, string choice) => new()
    {
        Run = session.Store.Resolve(parsed.GetValue(Run)!),
        Question = question,
        Choice = choice,
        Reason = parsed.GetValue(_reason),
        Evidence = parsed.GetValue(_evidence),
        Inputs = Given.Pairs(parsed.GetValue(_inputs)),
        KeyFile = parsed.GetValue(_sign),
        Resume = parsed.GetValue(_resume),
    };

    /// <summary>Values of options and outputs: JSON where it is JSON, else text.</summary>
    public static JsonObject? Values(string[]? given)
    {
        if (given is null or [])
            return null;
        var values = new JsonObject();
        foreach (var (name, value) in Given.Pairs(given))
            values[name] = Typed(value!.GetValue<string>());
        return values;
    }

    public static JsonNode? Typed(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }
}
