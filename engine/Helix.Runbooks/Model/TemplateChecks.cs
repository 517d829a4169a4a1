using Helix.Runbooks.Model.Expressions;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Model.Yaml;

namespace Helix.Runbooks.Model;

/// <summary>Checks one template at its place: what it names, its type, and what its option allows.</summary>
sealed class TemplateChecks(ProblemList problems, Visible visible)
{
    public void Check(TemplateUse use, Flow flow)
    {
        var parsed = Parse(use.Node);
        if (parsed is null)
            return;
        var check = new TypeCheck(visible);
        if (parsed.Path is { } path)
            CheckFit(use, check.TypeOf(path, flow));
        else if (use.Shape is BooleanShape or NumberShape && parsed.Whole is { } whole)
            CheckFit(use, check.Plain(whole, flow));
        else
        {
            foreach (var part in parsed.Parts)
                if (part.Expression is { } expression)
                    CheckRenders(use, expression, check.Plain(expression, flow));
            if (use.Shape is not (TextShape or AnyShape or FormShape or EnumShape) && !IsReference(use))
                problems.Error("wrong-type", use.Node.Position, $"'{use.Path}' must be {use.Shape.Words}, and this gives text.",
                    "Only one path alone, with or without ??, keeps its type: \"{{ steps.x.y ?? 0 }}\".");
        }
        if (use.Member is { Fixed: true } or { TargetKinds: not null })
            CheckFixed(use, parsed);
        Report(use.Node, check.Faults);
    }

    /// <summary>A condition gives true or false; what it says about steps is returned.</summary>
    public Expr? CheckCondition(ScalarNode node, Flow flow)
    {
        var parsed = Parse(node);
        if (parsed is null)
            return null;
        if (parsed.Whole is not { } whole)
        {
            problems.Error("not-boolean", node.Position, "A condition is one expression and nothing beside it.", "Write \"{{ a && b }}\".");
            return null;
        }
        var check = new TypeCheck(visible);
        check.Condition(whole, flow);
        Report(node, check.Faults);
        return whole;
    }

    /// <returns>The type of an element.</returns>
    public Shape CheckList(ScalarNode node, Flow flow)
    {
        var parsed = Parse(node);
        if (parsed is null)
            return Shape.Any;
        if (parsed.Whole is not { } whole)
        {
            problems.Error("wrong-type", node.Position, "'forEach' must be a list, and this gives text.", "Write one expression and nothing beside it.");
            return Shape.Any;
        }
        var check = new TypeCheck(visible);
        var shape = check.Plain(whole, flow);
        Report(node, check.Faults);
        if (shape is ListShape list)
            return list.Element;
        if (shape is not AnyShape)
            problems.Error("wrong-type", node.Position, $"'forEach' must be a list, and this is {shape.Words}.");
        return Shape.Any;
    }

    /// <returns>The type that an output of the runbook has.</returns>
    public Shape CheckOutput(ScalarNode node, Flow flow)
    {
        if (!Template.Has(node.Text))
            return Shape.Text;
        var parsed = Parse(node);
        if (parsed is null)
            return Shape.Any;
        var check = new TypeCheck(visible);
        var shapes = parsed.Parts.Where(p => p.Expression is not null)
            .Select(p => parsed.Path is null ? check.Plain(p.Expression!, flow) : check.TypeOf(p.Expression!, flow)).ToList();
        Report(node, check.Faults);
        return parsed.Path is null ? Shape.Text : shapes[0];
    }

    ParsedTemplate? Parse(ScalarNode node)
    {
        var parsed = ParsedTemplate.Of(node.Text);
        if (parsed.Fault is not { } fault)
            return parsed;
        Report(node, [fault]);
        return null;
    }

    void CheckFit(TemplateUse use, Shape given)
    {
        if (Fitting.Fits(given, use.Shape))
            return;
        var place = use.Node.PlaceOf(use.Node.Text.IndexOf("{{", StringComparison.Ordinal));
        if (given is SecretShape)
            problems.Error("secret-in-text", place, $"'{use.Path}' must be {use.Shape.Words}, and this is a secret.", "Secrets go only into options that take one.");
        else
            problems.Error("wrong-type", place, $"'{use.Path}' must be {use.Shape.Words}, and this is {given.Words}.",
                use.Shape is SecretShape ? "Give the input the type `secret`." : null);
    }

    /// <summary>A map in the middle of a text is nearly always a mistake.</summary>
    void CheckRenders(TemplateUse use, Expr expression, Shape shape)
    {
        if (shape is RecordShape record)
            problems.Error("wrong-type", use.Node.PlaceOf(expression.Start), $"'{Evaluation.Name(expression)}' is a map and cannot stand in a text.", Suggestion.Hint("", record.Members.Keys, "It has"));
    }

    static bool IsReference(TemplateUse use) => use.Shape is SecretShape && Steps.Secret.Fault(use.Node.Text) is null;

    void CheckFixed(TemplateUse use, ParsedTemplate parsed)
    {
        foreach (var variable in parsed.Parts.Where(p => p.Expression is not null).SelectMany(p => p.Expression!.All()).OfType<Variable>())
            if (variable.Name is not ("inputs" or "vars"))
                problems.Error("fixed-option", use.Node.PlaceOf(variable.Start),
                    $"'{use.Path}' decides what the step does to which target, so it may use inputs and vars only, and this uses '{variable.Name}'.", "It must be known when the plan is made.");
    }

    void Report(ScalarNode node, IEnumerable<TemplateFault> faults)
    {
        // More than these of one text help nobody, and each costs a walk through it.
        foreach (var fault in faults.Take(20))
            problems.Error(fault.Rule, node.PlaceOf(fault.Offset), fault.Message, fault.Hint);
    }
}
