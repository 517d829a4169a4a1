using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Expressions;
using Helix.Runbooks.Model.Shapes;

namespace Helix.Runbooks.Model;

/// <summary>What an environment gives to expressions. Without one everything may be there.</summary>
static class VarShapes
{
    public static Shape Vars(Environment? environment) =>
        environment is null ? Shape.Any : RecordShape.Of("vars", environment.Vars.Select(v => new Member(v.Key, Of(v.Value))));

    /// <summary>The public fields of each target: all but its secrets.</summary>
    public static Shape Targets(Environment? environment) =>
        environment is null ? Shape.Any : RecordShape.Of("targets", environment.Targets.All.Select(t => new Member(t.Key, Public(ShapeOf.Record(t.Value.GetType())))));

    static RecordShape Public(RecordShape target) =>
        RecordShape.Of(target.Name, target.Members.Values.Where(m => m.Shape is not SecretShape).Select(m => new Member(m.Name, m.Shape)).Append(new("name", Shape.Text)).Append(new("kind", Shape.Text)).DistinctBy(m => m.Name));

    static Shape Of(JsonNode? value) => value switch
    {
        JsonArray list => new ListShape(list.Count > 0 && list.Select(Of).Distinct().ToList() is [var one] ? one : Shape.Any),
        JsonObject map => RecordShape.Of("map", map.Select(m => new Member(m.Key, Of(m.Value)))),
        _ when Values.Boolean(value) is not null => Shape.Boolean,
        _ when Values.Number(value) is not null => Values.Whole(value) is null ? Shape.Number : Shape.Integer,
        _ when Values.Text(value) is not null => Shape.Text,
        _ => Shape.Any,
    };
}
