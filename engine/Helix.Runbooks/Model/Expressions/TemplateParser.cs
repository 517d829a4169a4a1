using System.Numerics;
using System.Text.Json.Nodes;
using Scriban.Parsing;
using Scriban.Syntax;

namespace Helix.Runbooks.Model.Expressions;

/// <summary>Scriban's syntax tree → ours, refusing statements, assignments and whatever is no plain expression.</summary>
sealed class TemplateParser(string text)
{
    /// <summary>Far above what anybody writes; keeps a bomb from costing seconds.</summary>
    const int MostExpressions = 1_000;
    const string Closed = "Close the expression with }}.";

    public ParsedTemplate Parse()
    {
        try
        {
            return new ParsedTemplate([.. ReadParts()], null);
        }
        catch (Refused refused)
        {
            return new ParsedTemplate([], refused.Fault);
        }
    }

    List<TemplatePart> ReadParts()
    {
        if (text.AsSpan().Count("{{") > MostExpressions)
            throw Refuse(0, "expression", $"One text holds at most {MostExpressions} expressions.");
        var template = Scriban.Template.Parse(text);
        if (template.Messages.FirstOrDefault(m => m.Type == ParserMessageType.Error) is { } error)
            throw Refuse(Math.Clamp(error.Span.Start.Offset, 0, text.Length), "expression", $"This is no expression: {Plain(error.Message)}.");
        var parts = new List<TemplatePart>();
        var braces = 0;
        var expressions = 0;
        foreach (var statement in template.Page!.Body!.Statements)
            switch (statement)
            {
                case ScriptRawStatement raw:
                    parts.Add(new TemplatePart(raw.Text.ToString(), null));
                    break;
                case ScriptEscapeStatement:
                    if (braces++ % 2 == 1 && expressions == 0 && Preceding(statement) != '%')
                        throw Refuse(Start(statement), "expression", "There is no expression between the braces.", "Write {%{ {{ }%} for braces that are meant as text.");
                    expressions = 0;
                    break;
                case ScriptExpressionStatement { Expression: { } expression }:
                    if (expressions++ > 0)
                        throw Refuse(Start(statement), "expression", "A second expression begins here.", "One expression stands between {{ and }}.");
                    parts.Add(new TemplatePart(null, Read(expression)));
                    break;
                default:
                    throw Refuse(Start(statement), "statement", $"'{FirstWord(statement)}' is a statement, and only expressions are allowed.", "Use `condition ? a : b`, or `when:` and `forEach:` of the step.");
            }
        if (braces % 2 != 0)
            throw Refuse(Math.Max(0, text.LastIndexOf("{{", StringComparison.Ordinal)), "expression", "The expression does not end.", Closed);
        return parts;
    }

    char Preceding(ScriptNode statement) => Start(statement) + 1 < text.Length ? text[Start(statement) + 1] : ' ';

    Expr Read(ScriptExpression? node)
    {
        if (node is null)
            throw Refuse(0, "expression", "A part of the expression is missing.");
        var start = Start(node);
        return node switch
        {
            ScriptNestedExpression nested => Read(nested.Expression),
            ScriptLiteral literal => new Constant(start, Value(literal)),
            ScriptVariableGlobal variable => new Variable(start, variable.Name),
            ScriptMemberExpression { DotToken.Value: "." } member => new Dot(start, Read(member.Target), member.Member!.Name, Start(member.Member)),
            ScriptIndexerExpression index => new At(start, Read(index.Target), Read(index.Index)),
            ScriptConditionalExpression choose => new Choose(start, Read(choose.Condition), Read(choose.ThenValue), Read(choose.ElseValue)),
            ScriptUnaryExpression { Operator: ScriptUnaryOperator.Not } not => new Not(start, Read(not.Right)),
            ScriptUnaryExpression { Operator: ScriptUnaryOperator.Negate } minus => new Minus(start, Read(minus.Right)),
            ScriptBinaryExpression binary => new Binary(start, Sign(binary), binary.OperatorToken?.Value ?? "", Read(binary.Left), Read(binary.Right)),
            ScriptArrayInitializerExpression many => new Many(start, [.. many.Values.Select(Read)]),
            ScriptPipeCall pipe => ReadPipe(Read(pipe.From), pipe.To),
            ScriptFunctionCall call => ReadCall(call.Target, call.Arguments, null),
            ScriptAssignExpression => throw Refuse(start, "statement", "Values are never assigned in an expression.", "Compare with ==."),
            _ => throw Refuse(start, "expression", $"'{Shorten(text[start..])}' is not part of the language."),
        };
    }

    Expr ReadPipe(Expr from, ScriptExpression? to) => to switch
    {
        ScriptPipeCall further => ReadPipe(ReadPipe(from, further.From), further.To),
        ScriptFunctionCall call => ReadCall(call.Target, call.Arguments, from),
        ScriptMemberExpression or ScriptVariableGlobal => ReadCall(to, [], from),
        _ => throw Refuse(to is null ? 0 : Start(to), "expression", "After | stands the name of a function.", FunctionHint("")),
    };

    Call ReadCall(ScriptExpression? target, IEnumerable<ScriptExpression> arguments, Expr? piped)
    {
        if (target is null)
            throw Refuse(0, "expression", "A part of the expression is missing.");
        var name = target switch
        {
            ScriptMemberExpression { Target: ScriptVariableGlobal of } member => $"{of.Name}.{member.Member!.Name}",
            ScriptVariableGlobal variable => variable.Name,
            _ => Source(target),
        };
        if (name.Length == 0)
            throw Refuse(Start(target), "expression", "What is called here has no name.", "A function is called by its name and its values, without brackets: string.replace inputs.name 'a' 'b'.");
        if (!Functions.All.TryGetValue(name, out var function))
            throw Refuse(Start(target), "unknown-function", $"There is no function '{name}'.", FunctionHint(name));
        var all = arguments.Select(Read).ToList();
        if (piped is not null)
            all.Insert(0, piped);
        if (all.Count < function.Least || all.Count > function.Parameters.Count)
            throw Refuse(Start(target), "arguments", $"{function.Name} takes {Amount(function)}, and this gives it {all.Count}.", $"Write {function.Usage}.");
        return new Call(Start(target), function, all);
    }

    /// <summary>Without the parser's own words for what it was about.</summary>
    static string Plain(string message)
    {
        var words = message.Split(" in: ")[0].TrimEnd('.');
        return words.Contains(": ", StringComparison.Ordinal) ? words[(words.LastIndexOf(": ", StringComparison.Ordinal) + 2)..] : words;
    }

    static string Amount(Function function) =>
        (function.Least == function.Parameters.Count ? $"{function.Least}" : $"{function.Least} to {function.Parameters.Count}")
        + (function.Parameters.Count == 1 ? " value" : " values");

    static string FunctionHint(string name) =>
        Suggestion.Nearest(name, Functions.All.Keys) is { } near ? $"Did you mean '{near}'?"
        : Functions.All.Keys.Where(f => f.Split('.')[0] == name.Split('.')[0]).ToList() is { Count: > 0 } same ? $"Functions: {string.Join(", ", same)}."
        : "Functions begin with string., array. or math.: see `helix explain expressions`.";

    JsonValue? Value(ScriptLiteral literal) => literal.Value switch
    {
        null => null,
        bool value => JsonValue.Create(value),
        int value => JsonValue.Create((long)value),
        long value => JsonValue.Create(value),
        double value when double.IsFinite(value) => JsonValue.Create(value),
        decimal value => JsonValue.Create((double)value),
        string value => JsonValue.Create(value),
        BigInteger or double => throw Refuse(Start(literal), "expression", "This number is too large."),
        _ => throw Refuse(Start(literal), "expression", "This value is not part of the language."),
    };

    Operator Sign(ScriptBinaryExpression binary) => binary.Operator switch
    {
        ScriptBinaryOperator.EmptyCoalescing => Operator.Coalesce,
        ScriptBinaryOperator.Or => Operator.Or,
        ScriptBinaryOperator.And => Operator.And,
        ScriptBinaryOperator.CompareEqual => Operator.Equal,
        ScriptBinaryOperator.CompareNotEqual => Operator.NotEqual,
        ScriptBinaryOperator.CompareLess => Operator.Less,
        ScriptBinaryOperator.CompareLessOrEqual => Operator.LessOrEqual,
        ScriptBinaryOperator.CompareGreater => Operator.Greater,
        ScriptBinaryOperator.CompareGreaterOrEqual => Operator.GreaterOrEqual,
        ScriptBinaryOperator.Add => Operator.Add,
        ScriptBinaryOperator.Subtract => Operator.Subtract,
        ScriptBinaryOperator.Multiply => Operator.Multiply,
        ScriptBinaryOperator.Divide => Operator.Divide,
        ScriptBinaryOperator.DivideRound => Operator.DivideWhole,
        ScriptBinaryOperator.Modulus => Operator.Remainder,
        _ => throw Refuse(Start(binary), "expression", $"The operator {binary.OperatorToken?.Value} is not part of the language."),
    };

    string FirstWord(ScriptNode node)
    {
        var rest = text[Start(node)..].TrimStart();
        var end = rest.IndexOfAny([' ', '}', '\n']);
        return Shorten(end < 0 ? rest : rest[..end]);
    }

    /// <summary>What stands in the text. Of what could not be read whole the parser puts the end before the start.</summary>
    string Source(ScriptNode node)
    {
        var from = Start(node);
        return Shorten(text[from..Math.Clamp(node.Span.End.Offset + 1, from, text.Length)]);
    }

    static string Shorten(string words)
    {
        var line = words.Split('\n')[0].Split("}}")[0].Trim();
        return line.Length > 60 ? line[..60] + "…" : line;
    }

    int Start(ScriptNode node) => Math.Clamp(node.Span.Start.Offset, 0, Math.Max(0, text.Length - 1));

    static Refused Refuse(int at, string rule, string message, string? hint = null) => new(new TemplateFault(at, rule, message, hint));

    sealed class Refused(TemplateFault fault) : Exception
    {
        public TemplateFault Fault { get; } = fault;
    }
}
