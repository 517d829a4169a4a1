using Helix.Runbooks.Model.Shapes;

namespace Helix.Runbooks.Model.Expressions;

/// <summary>Finds the type of an expression before it has a value, and all that is wrong with it.</summary>
sealed class TypeCheck(Visible visible)
{
    static readonly string[] Roots = ["inputs", "vars", "steps", "run", "targets"];

    public List<TemplateFault> Faults { get; } = [];

    /// <param name="orElse">Another value stands ready if this has none (<c>??</c>).</param>
    public Shape TypeOf(Expr expr, Flow flow, bool orElse = false) => expr switch
    {
        Constant constant => OfConstant(constant),
        Variable variable => OfVariable(variable, flow),
        Dot dot => OfDot(dot, flow, orElse),
        At at => OfAt(at, flow, orElse),
        Not not => Condition(not.Of, flow),
        Minus minus => Need(Shape.Number, minus.Of, flow),
        Choose choose => OfChoose(choose, flow, orElse),
        Many many => new ListShape(many.Items.Select(i => Plain(i, flow)).Aggregate((Shape?)null, Common) ?? Shape.Any),
        Call call => OfCall(call, flow),
        Binary binary => OfBinary(binary, flow, orElse),
        _ => Shape.Any,
    };

    /// <summary>The type of something that is computed with: not a secret.</summary>
    public Shape Plain(Expr expr, Flow flow, bool orElse = false)
    {
        var shape = TypeOf(expr, flow, orElse);
        if (shape is SecretShape)
            Fault(expr.Start, "secret-in-text", $"'{Evaluation.Name(expr)}' is a secret and can only stand alone, where a secret is due.");
        return shape;
    }

    public Shape Condition(Expr expr, Flow flow)
    {
        var shape = Plain(expr, flow);
        if (shape is not (BooleanShape or AnyShape))
            Fault(expr.Start, "not-boolean", $"'{Evaluation.Name(expr)}' is {shape.Words}, and must be true or false.", "Compare it: text is never taken for true or false.");
        return Shape.Boolean;
    }

    static Shape OfConstant(Constant constant) => constant.Value?.GetValueKind() switch
    {
        System.Text.Json.JsonValueKind.String => Shape.Text,
        System.Text.Json.JsonValueKind.Number => Values.Whole(constant.Value) is null ? Shape.Number : Shape.Integer,
        System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False => Shape.Boolean,
        _ => Shape.Any,
    };

    Shape OfVariable(Variable variable, Flow flow)
    {
        if (flow.Elements.TryGetValue(variable.Name, out var element))
            return element;
        switch (variable.Name)
        {
            case "inputs": return visible.Inputs;
            case "vars": return visible.Vars;
            case "targets": return visible.Targets;
            case "run": return Visible.Run;
            case "steps":
                Fault(variable.Start, "unknown-variable", "'steps' needs the id of a step and one of its outputs.", "Write steps.ID.OUTPUT.");
                return Shape.Any;
            default:
                Fault(variable.Start, "unknown-variable", $"There is no variable '{variable.Name}'.", VariableHint(variable.Name, flow));
                return Shape.Any;
        }
    }

    string VariableHint(string name, Flow flow) =>
        visible.Ids.Contains(name) ? $"An output of the step is steps.{name}.OUTPUT."
        : visible.Inputs is RecordShape inputs && inputs.Members.ContainsKey(name) ? $"The input is inputs.{name}."
        : Suggestion.Hint(name, Roots.Concat(flow.Elements.Keys), "There are");

    Shape OfDot(Dot dot, Flow flow, bool orElse)
    {
        if (dot.Of is Variable { Name: "steps" } && !flow.Elements.ContainsKey("steps"))
        {
            if (!visible.Ids.Contains(dot.Name))
                return new StepReference(visible, Faults).TypeOf(dot, dot, flow, orElse);
            Fault(dot.NameStart, "unknown-member", $"'steps.{dot.Name}' names a step, and an output of it is needed.", $"Write steps.{dot.Name}.OUTPUT.");
            return Shape.Any;
        }
        if (dot.Of is Dot { Of: Variable { Name: "steps" } } step && !flow.Elements.ContainsKey("steps"))
            return new StepReference(visible, Faults).TypeOf(step, dot, flow, orElse);
        return MemberOf(TypeOf(dot.Of, flow, orElse), dot.Name, dot.NameStart, dot.Of);
    }

    Shape MemberOf(Shape of, string name, int at, Expr owner)
    {
        switch (of)
        {
            case AnyShape:
                return Shape.Any;
            case MapShape map:
                return map.Value;
            case RecordShape record when record.Members.TryGetValue(name, out var member):
                return member.Shape;
            case RecordShape { Open: true }:
                return Shape.Any;
            case RecordShape record:
                Fault(at, "unknown-member", $"'{Evaluation.Name(owner)}' has no '{name}'.", Suggestion.Hint(name, record.Members.Keys, "There are"));
                return Shape.Any;
            default:
                Fault(at, "unknown-member", $"'{Evaluation.Name(owner)}' is {of.Words} and has no '{name}'.");
                return Shape.Any;
        }
    }

    Shape OfAt(At at, Flow flow, bool orElse)
    {
        var index = Plain(at.Index, flow);
        if (at.Of is Variable { Name: "steps" })
            return TypeOf(at.Of, flow);
        var of = TypeOf(at.Of, flow, orElse);
        switch (of)
        {
            case ListShape list:
                if (index is not (NumberShape or AnyShape))
                    Fault(at.Index.Start, "wrong-type", $"The index of a list is a whole number, and this is {index.Words}.");
                return list.Element;
            case RecordShape or MapShape when at.Index is Constant { Value: { } name } && Values.Text(name) is { } text:
                return MemberOf(of, text, at.Index.Start, at.Of);
            case RecordShape or MapShape or AnyShape:
                return Shape.Any;
            default:
                Fault(at.Index.Start, "wrong-type", $"'{Evaluation.Name(at.Of)}' is {of.Words} and has no elements.");
                return Shape.Any;
        }
    }

    Shape OfChoose(Choose choose, Flow flow, bool orElse)
    {
        Condition(choose.If, flow);
        return Common(Plain(choose.Then, flow.Knowing(Narrowing.Of(choose.If, true, visible)), orElse),
            Plain(choose.Else, flow.Knowing(Narrowing.Of(choose.If, false, visible)), orElse));
    }

    Shape OfCall(Call call, Flow flow)
    {
        var given = call.Arguments.Select(a => Plain(a, flow)).ToList();
        for (var i = 0; i < given.Count; i++)
            if (!Fitting.Fits(given[i], call.Function.Parameters[i].Shape))
                Fault(call.Arguments[i].Start, "wrong-type", $"{call.Function.Name} takes {call.Function.Parameters[i].Shape.Words} here, and this is {given[i].Words}.", $"Write {call.Function.Usage}.");
        return call.Function.Name switch
        {
            "array.first" or "array.last" => given[0] is ListShape list ? list.Element : Shape.Any,
            "array.sort" or "array.reverse" or "array.uniq" or "array.limit" or "array.offset" => given[0],
            _ => call.Function.Gives,
        };
    }

    Shape OfBinary(Binary binary, Flow flow, bool orElse)
    {
        switch (binary.Operator)
        {
            case Operator.Coalesce:
                return Common(TypeOf(binary.Left, flow, orElse: true), TypeOf(binary.Right, flow, orElse));
            case Operator.And:
                Condition(binary.Left, flow);
                return Condition(binary.Right, flow.Knowing(Narrowing.Of(binary.Left, true, visible)));
            case Operator.Or:
                Condition(binary.Left, flow);
                return Condition(binary.Right, flow.Knowing(Narrowing.Of(binary.Left, false, visible)));
            case Operator.Equal or Operator.NotEqual:
                Compare(binary, Plain(binary.Left, flow, IsNull(binary.Right)), Plain(binary.Right, flow, IsNull(binary.Left)));
                return Shape.Boolean;
            case Operator.Less or Operator.LessOrEqual or Operator.Greater or Operator.GreaterOrEqual:
                Order(binary, Plain(binary.Left, flow), Plain(binary.Right, flow));
                return Shape.Boolean;
            default:
                return Sum(binary, Plain(binary.Left, flow), Plain(binary.Right, flow));
        }
    }

    static bool IsNull(Expr expr) => expr is Constant { Value: null };

    void Compare(Binary binary, Shape left, Shape right)
    {
        if (Fitting.Kind(left) is { } a && Fitting.Kind(right) is { } b && a != b)
            Fault(binary.Start, "wrong-type", $"{left.Words} and {right.Words} are never equal.");
        else if (left is EnumShape choice && binary.Right is Constant { Value: { } value } constant && !choice.Values.Contains(value.ToString()))
            Fault(constant.Start, "wrong-type", $"'{Evaluation.Name(binary.Left)}' is never '{value}'.", Suggestion.Hint(value.ToString(), choice.Values, "It is one of"));
    }

    void Order(Binary binary, Shape left, Shape right)
    {
        if (Fitting.Kind(left) is { } a && Fitting.Kind(right) is { } b && (a != b || a is not ("text" or "number")))
            Fault(binary.Start, "wrong-type", $"{left.Words} and {right.Words} have no order.");
    }

    Shape Sum(Binary binary, Shape left, Shape right)
    {
        var (a, b) = (Fitting.Kind(left), Fitting.Kind(right));
        if (binary.Operator == Operator.Add && (a == "text" || b == "text") && a is not ("list" or "map") && b is not ("list" or "map"))
            return Shape.Text;
        foreach (var (kind, side, shape) in new[] { (a, binary.Left, left), (b, binary.Right, right) })
            if (kind is not (null or "number"))
                Fault(side.Start, "wrong-type", $"{binary.Sign} needs numbers, and this is {shape.Words}.", kind == "text" ? "| string.to_int makes a number of text." : null);
        return a is null || b is null ? Shape.Any : left is NumberShape { Whole: true } && right is NumberShape { Whole: true } && binary.Operator != Operator.Divide ? Shape.Integer : Shape.Number;
    }

    Shape Need(Shape due, Expr expr, Flow flow)
    {
        var shape = Plain(expr, flow);
        if (!Fitting.Fits(shape, due))
            Fault(expr.Start, "wrong-type", $"This must be {due.Words}, and it is {shape.Words}.");
        return shape is AnyShape ? due : shape;
    }

    static Shape Common(Shape? a, Shape? b) =>
        a is null || a is AnyShape ? b ?? Shape.Any : b is null or AnyShape || a.Equals(b) ? a
        : a is NumberShape && b is NumberShape ? Shape.Number
        : Fitting.Kind(a) == "text" && Fitting.Kind(b) == "text" ? Shape.Text
        : a is SecretShape || b is SecretShape ? Shape.Secret
        : Shape.Any;

    void Fault(int at, string rule, string message, string? hint = null) => Faults.Add(new TemplateFault(at, rule, message, hint));
}
