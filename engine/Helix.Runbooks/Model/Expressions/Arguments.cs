using System.Text.Json.Nodes;

namespace Helix.Runbooks.Model.Expressions;

/// <summary>The values that a function is called with, as the types it wants.</summary>
sealed class Arguments(string function, IReadOnlyList<JsonNode> values)
{
    public int Count => values.Count;
    public JsonNode this[int index] => values[index];

    public string Text(int index) => values[index] is JsonValue ? Values.Render(values[index]) : throw Wrong(index, "text");
    public JsonArray List(int index) => values[index] as JsonArray ?? throw Wrong(index, "a list");
    public double Number(int index) => Values.Number(values[index]) ?? throw Wrong(index, "a number");
    public bool IsWhole(int index) => Values.Whole(values[index]) is not null;

    public int Whole(int index) => Values.Whole(values[index]) is { } whole
        ? (int)Math.Clamp(whole, int.MinValue, int.MaxValue)
        : throw Wrong(index, "a whole number");

    public long ToWhole(double value) => Math.Abs(value) < long.MaxValue ? (long)value : throw Fault("The number is too large.");
    public EvaluationFault Fault(string message) => new(null, $"{function}: {message}");

    EvaluationFault Wrong(int index, string due) => Fault($"value {index + 1} must be {due}, and it is {Values.Kind(values[index])}.");
}

/// <summary>An expression cannot be computed; the evaluator turns it into a message with the place.</summary>
sealed class EvaluationFault(int? offset, string message, string? hint = null) : Exception(message)
{
    public int? Offset { get; } = offset;
    public string? Hint { get; } = hint;
}
