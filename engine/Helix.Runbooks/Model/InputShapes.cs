using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

/// <summary>What a runbook declares as shapes: its inputs, the form of a decision, the outputs of a query.</summary>
static class InputShapes
{
    static readonly Shape DurationShape = ShapeOf.Type(typeof(Duration));
    static readonly Shape TimeShape = ShapeOf.Type(typeof(DateTimeOffset));

    public static RecordShape Of(Runbook runbook)
    {
        var members = runbook.Inputs.ToDictionary(i => i.Key, i => new Member(i.Key, Of(i.Value.Type, i.Value.Choices))
        {
            Required = i.Value is { Required: true, Default: null },
            Description = i.Value.Description,
        });
        return new RecordShape("inputs") { Lazily = new(() => members) };
    }

    public static Shape Of(InputType type, IReadOnlyList<string>? choices) => type switch
    {
        InputType.Number => Shape.Number,
        InputType.Boolean => Shape.Boolean,
        InputType.Duration => DurationShape,
        InputType.Timestamp => TimeShape,
        InputType.Choice => new EnumShape(choices ?? []),
        InputType.Secret => Shape.Secret,
        _ => Shape.Text,
    };

    public static Shape Of(Steps.ValueType type) => type switch
    {
        Steps.ValueType.Number => Shape.Number,
        Steps.ValueType.Boolean => Shape.Boolean,
        Steps.ValueType.Duration => DurationShape,
        Steps.ValueType.Timestamp => TimeShape,
        Steps.ValueType.List => new ListShape(Shape.Any),
        Steps.ValueType.Object => Shape.Any,
        _ => Shape.Text,
    };
}
