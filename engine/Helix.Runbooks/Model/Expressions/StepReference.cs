using Helix.Runbooks.Model.Shapes;

namespace Helix.Runbooks.Model.Expressions;

/// <summary><c>steps.ID.MEMBER</c>: is there such a step, does it come before, has it succeeded for sure, and does it put that out?</summary>
sealed class StepReference(Visible visible, List<TemplateFault> faults)
{
    /// <summary>What is known of every step, whatever it puts out.</summary>
    public static IReadOnlyDictionary<string, Shape> Always { get; } = new Dictionary<string, Shape>
    {
        ["status"] = Visible.Status,
        ["started"] = Shape.Boolean,
        ["succeeded"] = Shape.Boolean,
        ["failure"] = Visible.Failure,
    };

    public Shape TypeOf(Dot step, Dot member, Flow flow, bool orElse)
    {
        var id = step.Name;
        if (!visible.Ids.Contains(id))
            return Refuse(step, "unknown-step", $"There is no step '{id}'.", StepHint(id));
        if (visible.Broken.Contains(id))
            return Shape.Any;
        if (flow.Beside.Contains(id))
            return Refuse(step, "parallel-step", $"The step '{id}' runs at the same time, in another branch.", "Use its outputs after the parallel block.");
        if (!flow.Seen.Contains(id) || !visible.Steps.TryGetValue(id, out var facts))
            return Refuse(step, "later-step", $"The step '{id}' comes later.", "A step can use only what is put out before it.");
        var lists = facts.Loops.Count - facts.Loops.TakeWhile((loop, i) => i < flow.Loops.Count && flow.Loops[i] == loop).Count();
        if (Always.TryGetValue(member.Name, out var fact))
            return fact is BooleanShape || lists == 0 ? fact : Lists(fact, lists);
        if (!orElse && !flow.Certain.Contains(id))
            Refuse(step, "unsure-step", $"The step '{id}' may not have succeeded here, so '{Evaluation.Name(member)}' may have no value.",
                $"Add `when: \"{{{{ steps.{id}.succeeded }}}}\"`, or give another value: {Evaluation.Name(member)} ?? \"…\".");
        return Lists(Output(facts, id, member), lists);
    }

    Shape Output(StepFacts facts, string id, Dot member)
    {
        if (facts.Outputs.Members.TryGetValue(member.Name, out var output))
            return output.Shape;
        if (facts.Outputs.Open)
            return Shape.Any;
        faults.Add(new TemplateFault(member.NameStart, "unknown-output", $"The step '{id}' puts out no '{member.Name}'.",
            Suggestion.Hint(member.Name, facts.Outputs.Members.Keys.Concat(Always.Keys), "There are")));
        return Shape.Any;
    }

    static Shape Lists(Shape shape, int times)
    {
        for (; times > 0; times--)
            shape = new ListShape(shape);
        return shape;
    }

    string StepHint(string id)
    {
        var hyphened = visible.Ids.FirstOrDefault(known => known.StartsWith(id + "_", StringComparison.Ordinal));
        return Suggestion.Nearest(id, visible.Ids) is null && hyphened is not null
            ? $"Did you mean '{hyphened}'? A hyphen is a minus in an expression."
            : Suggestion.Hint(id, visible.Ids.Order(StringComparer.Ordinal), "Steps");
    }

    AnyShape Refuse(Dot step, string rule, string message, string hint)
    {
        faults.Add(new TemplateFault(step.NameStart, rule, message, hint));
        return (AnyShape)Shape.Any;
    }
}
