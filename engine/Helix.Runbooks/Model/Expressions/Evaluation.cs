using System.Text.Json.Nodes;

namespace Helix.Runbooks.Model.Expressions;

/// <summary>Computes an expression, strictly: nothing is guessed, nothing is empty by accident, nothing is infinite.</summary>
sealed class Evaluation(Func<string, JsonNode?> variables, Func<string, bool> known)
{
    /// <exception cref="EvaluationFault">It has no value.</exception>
    public JsonNode Value(Expr expr) => Of(expr) ?? throw Nothing(expr);

    /// <summary>The value, or null where a path leads to nothing.</summary>
    JsonNode? Of(Expr expr) => expr switch
    {
        Constant constant => constant.Value?.DeepClone(),
        Variable variable => known(variable.Name) ? variables(variable.Name) : throw new EvaluationFault(variable.Start, $"There is no '{variable.Name}'."),
        Dot dot => Member(dot),
        At at => Element(at),
        Not not => !Truth(not.Of),
        Minus minus => Negative(minus),
        Choose choose => Of(Truth(choose.If) ? choose.Then : choose.Else),
        Many many => new JsonArray([.. many.Items.Select(i => Value(i).DeepClone())]),
        Call call => Result(call),
        Binary binary => Both(binary),
        _ => throw new InvalidOperationException($"{expr.GetType().Name} has no meaning."),
    };

    JsonNode? Member(Dot dot)
    {
        var of = Of(dot.Of);
        return of switch
        {
            null => null,
            JsonObject map => map[dot.Name],
            _ => throw new EvaluationFault(dot.NameStart, $"'{Name(dot.Of)}' is {Values.Kind(of)} and has no '{dot.Name}'."),
        };
    }

    JsonNode? Element(At at)
    {
        var of = Of(at.Of);
        var index = Value(at.Index);
        return of switch
        {
            null => null,
            JsonObject map when Values.Text(index) is { } name => map[name],
            JsonArray list when Values.Whole(index) is { } n => n >= 0 && n < list.Count ? list[(int)n]
                : throw new EvaluationFault(at.Index.Start, $"'{Name(at.Of)}' has {list.Count} elements and none with number {n}.", "Elements count from 0."),
            _ => throw new EvaluationFault(at.Index.Start, $"'{Name(at.Of)}' is {Values.Kind(of)}, and the index is {Values.Kind(index)}."),
        };
    }

    bool Truth(Expr expr)
    {
        var value = Value(expr);
        return Values.Boolean(value)
            ?? throw new EvaluationFault(expr.Start, $"'{Name(expr)}' must be true or false, and it is {Values.Kind(value)}.", "Compare it: text is never taken for true or false.");
    }

    JsonNode Negative(Minus minus)
    {
        var value = Value(minus.Of);
        return Values.Whole(value) is { } whole && whole != long.MinValue ? -whole
            : Values.Number(value) is { } number ? -number
            : throw new EvaluationFault(minus.Start, $"{Values.Kind(value)} has no negative.");
    }

    JsonNode? Result(Call call)
    {
        try
        {
            return call.Function.Does(new Arguments(call.Function.Name, [.. call.Arguments.Select(Value)]));
        }
        catch (EvaluationFault fault) when (fault.Offset is null)
        {
            throw new EvaluationFault(call.Start, fault.Message, fault.Hint);
        }
    }

    JsonNode? Both(Binary binary) => binary.Operator switch
    {
        Operator.Coalesce => Of(binary.Left) ?? Of(binary.Right),
        Operator.And => Truth(binary.Left) && Truth(binary.Right),
        Operator.Or => Truth(binary.Left) || Truth(binary.Right),
        Operator.Equal => Same(binary),
        Operator.NotEqual => !Same(binary),
        Operator.Less => Order(binary) < 0,
        Operator.LessOrEqual => Order(binary) <= 0,
        Operator.Greater => Order(binary) > 0,
        Operator.GreaterOrEqual => Order(binary) >= 0,
        _ => Arithmetic.Compute(binary, Value(binary.Left), Value(binary.Right)),
    };

    /// <summary>Nothing may be asked about only by name: <c>x == null</c>.</summary>
    bool Same(Binary binary) =>
        binary.Right is Constant { Value: null } ? Of(binary.Left) is null
        : binary.Left is Constant { Value: null } ? Of(binary.Right) is null
        : Values.Same(Value(binary.Left), Value(binary.Right));

    int Order(Binary binary)
    {
        var (left, right) = (Value(binary.Left), Value(binary.Right));
        return Values.Compare(left, right) ?? throw new EvaluationFault(binary.Start, $"{Values.Kind(left)} and {Values.Kind(right)} have no order.");
    }

    static EvaluationFault Nothing(Expr expr) => new(expr.Start, $"'{Name(expr)}' has no value.", $"Give another for that case: {Name(expr)} ?? \"…\".");

    /// <summary>The expression in words, as far as it is a path.</summary>
    public static string Name(Expr expr) => expr switch
    {
        Variable variable => variable.Name,
        Dot dot => $"{Name(dot.Of)}.{dot.Name}",
        At { Index: Constant index } at => $"{Name(at.Of)}[{index.Value?.ToJsonString()}]",
        At at => $"{Name(at.Of)}[…]",
        Call call => call.Function.Name,
        Constant constant => constant.Value?.ToJsonString() ?? "null",
        Binary binary => $"{Name(binary.Left)} {binary.Sign} {Name(binary.Right)}",
        _ => "the expression",
    };
}
