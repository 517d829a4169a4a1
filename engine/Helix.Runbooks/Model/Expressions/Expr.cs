using System.Text.Json.Nodes;

namespace Helix.Runbooks.Model.Expressions;

/// <summary>An expression of the language: what is left of Scriban when all that has effects, loops or guesses is taken away.</summary>
/// <param name="Start">Offset in the template.</param>
abstract record Expr(int Start);

sealed record Constant(int Start, JsonNode? Value) : Expr(Start);

/// <summary>A variable: inputs, vars, steps, run, targets, or the element of a forEach.</summary>
sealed record Variable(int Start, string Name) : Expr(Start);

/// <param name="NameStart">Offset of the member's name.</param>
sealed record Dot(int Start, Expr Of, string Name, int NameStart) : Expr(Start);

sealed record At(int Start, Expr Of, Expr Index) : Expr(Start);
sealed record Not(int Start, Expr Of) : Expr(Start);
sealed record Minus(int Start, Expr Of) : Expr(Start);
sealed record Binary(int Start, Operator Operator, string Sign, Expr Left, Expr Right) : Expr(Start);
sealed record Choose(int Start, Expr If, Expr Then, Expr Else) : Expr(Start);
sealed record Call(int Start, Function Function, IReadOnlyList<Expr> Arguments) : Expr(Start);
sealed record Many(int Start, IReadOnlyList<Expr> Items) : Expr(Start);

enum Operator { Coalesce, Or, And, Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual, Add, Subtract, Multiply, Divide, DivideWhole, Remainder }

static class ExprFacts
{
    /// <summary>A variable with members, or several of them joined by <c>??</c>, the last perhaps a constant: such a value keeps its type.</summary>
    public static bool IsPath(this Expr expr) => expr switch
    {
        Variable => true,
        Dot dot => dot.Of.IsPath() && dot.Of is not Binary,
        At { Index: Constant } at => at.Of.IsPath() && at.Of is not Binary,
        Binary { Operator: Operator.Coalesce } binary => binary.Left.IsPath() && (binary.Right is Constant || binary.Right.IsPath()),
        _ => false,
    };

    /// <summary>The id when this is <c>steps.ID.MEMBER</c>.</summary>
    public static string? StepOf(this Expr expr, string member) =>
        expr is Dot { Of: Dot { Of: Variable { Name: "steps" } } step, Name: var name } && name == member ? step.Name : null;

    public static IEnumerable<Expr> Parts(this Expr expr) => expr switch
    {
        Dot dot => [dot.Of],
        At at => [at.Of, at.Index],
        Not not => [not.Of],
        Minus minus => [minus.Of],
        Binary binary => [binary.Left, binary.Right],
        Choose choose => [choose.If, choose.Then, choose.Else],
        Call call => call.Arguments,
        Many many => many.Items,
        _ => [],
    };

    public static IEnumerable<Expr> All(this Expr expr) => expr.Parts().SelectMany(p => p.All()).Prepend(expr);
}
