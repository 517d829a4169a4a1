using Helix.Runbooks.Model.Shapes;

namespace Helix.Runbooks.Model.Expressions;

/// <summary>Does a value of one type fit where another is due?</summary>
static class Fitting
{
    /// <summary>True where it may fit: what cannot be known is checked at run time.</summary>
    public static bool Fits(Shape given, Shape due) => (given, due) switch
    {
        (AnyShape, _) => true,
        (SecretShape, SecretShape) => true,
        (SecretShape, _) => false,
        (_, AnyShape) => true,
        (_, SecretShape) => false,
        (_, TextShape) => Kind(given) is "text" or "number" or "boolean",
        (_, EnumShape) => given is TextShape || given is EnumShape e && e.Values.Intersect(((EnumShape)due).Values).Any(),
        (FormShape a, FormShape b) => a.Type == b.Type,
        (_, FormShape) => given is TextShape,
        (_, NumberShape) => given is NumberShape,
        (_, BooleanShape) => given is BooleanShape,
        (ListShape a, ListShape b) => Fits(a.Element, b.Element),
        (MapShape a, MapShape b) => Fits(a.Value, b.Value),
        (RecordShape a, MapShape b) => a.Members.Values.All(m => Fits(m.Shape, b.Value)),
        (MapShape, RecordShape) => true,
        (RecordShape, RecordShape) => true,
        _ => false,
    };

    /// <summary>As JSON has it; null when it is not known.</summary>
    public static string? Kind(Shape shape) => shape switch
    {
        TextShape or EnumShape or FormShape or SecretShape => "text",
        NumberShape => "number",
        BooleanShape => "boolean",
        ListShape => "list",
        MapShape or RecordShape => "map",
        _ => null,
    };
}
