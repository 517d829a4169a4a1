using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

/// <summary>Options bound before their expressions have values: each is replaced by the least value of its type, and text keeps the expression. For effects, lint and plans.</summary>
public static class OptionStandIn
{
    /// <exception cref="RunbookException">The options do not fit their record together.</exception>
    public static object Bind(JsonObject with, Type optionsType) =>
        StepJson.Bind(StandIn.For(with, ShapeOf.Type(optionsType)), optionsType);

    /// <summary>What the step would do to each target; a target that is still an expression is named by its text.</summary>
    public static IReadOnlyList<TargetEffect> Effects(StepType type, JsonObject with) =>
        type.Step.EffectsOf(Bind(with, type.OptionsType));
}
