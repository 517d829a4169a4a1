using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Expressions;
using Helix.Runbooks.Model.Shapes;

namespace Helix.Runbooks.Model;

/// <summary>What an environment gives to expressions. Without one everything may be there.</summary>
static class VarShapes
{
    public static Shape Vars(Environment? environment) =>
        environment is null ? Shape.Any : RecordShape.Of("vars", environment.Vars.Select(v => (v.Key, Of(v.Value))));

    /// <summary>The public fields of each target: all but its secrets.</summary>
    public static Shape Targets(Environment? environment) =>
        environment is null ? Shape.Any : RecordShape.Of("targets", environment.Targets.All.Select(t => (t.Key, (Shape)Public(ShapeOf.Record(t.Value.GetType())))));

    static RecordShape Public(RecordShape target) =>
        RecordShape.Of(target.Name, target.Members.Values.Where(m => m.Shape is not SecretShape).Select(m => (m.Name, m.Shape)).Append(("name", Shape.Text)).Append(("kind", Shape.Text)).DistinctBy(m => m.Item1));

    static Shape Of(JsonNode? value) => value switch
    {
        JsonArray list => new ListShape(list.Count > 0 && list.Select(Of).Distinct().ToList() is [var one] ? one : Shape.Any),
        JsonObject map => RecordShape.Of("map", map.Select(m => (m.Key, Of(m.Value)))),
        _ when Values.Boolean(value) is not null => Shape.Boolean,
        _ when Values.Number(value) is not null => Values.Whole(value) is null ? Shape.Number : Shape.Integer,
        _ when Values.Text(value) is not null => Shape.Text,
        _ => Shape.Any,
    };
}
