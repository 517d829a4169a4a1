using System.Text.Json.Nodes;

namespace Helix.Runbooks.Model.Expressions;

/// <summary>Sums of numbers, exact where they are whole; <c>+</c> also joins texts. No result is infinite.</summary>
static class Arithmetic
{
    public static JsonNode Compute(Binary binary, JsonNode left, JsonNode right)
    {
        if (binary.Operator == Operator.Add && (Values.Text(left) is not null || Values.Text(right) is not null) && left is JsonValue && right is JsonValue)
            return Joined(binary, Values.Render(left) + Values.Render(right));
        if (Values.Number(left) is not { } x || Values.Number(right) is not { } y)
            throw new EvaluationFault(binary.Start, $"{Values.Kind(left)} {binary.Sign} {Values.Kind(right)} has no meaning.");
        if (y == 0 && binary.Operator is Operator.Divide or Operator.DivideWhole or Operator.Remainder && y == 0)
            throw new EvaluationFault(binary.Start, "This divides by zero.");
        try
        {
            return Values.Whole(left) is { } i && Values.Whole(right) is { } j && Whole(binary.Operator, i, j) is { } whole ? whole : Finite(binary, Real(binary.Operator, x, y));
        }
        catch (OverflowException)
        {
            return Finite(binary, Real(binary.Operator, x, y));
        }
    }

    static JsonValue Joined(Binary binary, string text) => text.Length <= Functions.MostText ? JsonValue.Create(text)!
        : throw new EvaluationFault(binary.Start, "The text is longer than 1 MiB.");

    static long? Whole(Operator sign, long x, long y) => sign switch
    {
        Operator.Add => checked(x + y),
        Operator.Subtract => checked(x - y),
        Operator.Multiply => checked(x * y),
        Operator.DivideWhole when !(x == long.MinValue && y == -1) => x / y - (x % y != 0 && (x < 0) != (y < 0) ? 1 : 0),
        Operator.Remainder when y != -1 => x % y,
        Operator.Divide when y != -1 && x % y == 0 => x / y,
        _ => null,
    };

    static double Real(Operator sign, double x, double y) => sign switch
    {
        Operator.Add => x + y,
        Operator.Subtract => x - y,
        Operator.Multiply => x * y,
        Operator.Divide => x / y,
        Operator.DivideWhole => Math.Floor(x / y),
        _ => x % y,
    };

    static JsonValue Finite(Binary binary, double value) => double.IsFinite(value) ? JsonValue.Create(value)
        : throw new EvaluationFault(binary.Start, $"The result of {binary.Sign} is too large.");
}
