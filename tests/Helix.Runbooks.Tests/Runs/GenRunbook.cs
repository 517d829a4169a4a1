using System.Text.Json.Nodes;
using CsCheck;
using Helix.Runbooks.Model;

namespace Helix.Runbooks.Tests.Runs;

/// <summary>Random runbooks of every kind of block, small enough to run to their end.</summary>
static class GenRunbook
{
    /// <summary>A shape without ids; <see cref="Build"/> gives them.</summary>
    public abstract record Shape;
    public sealed record Leaf(IfFails? IfFails) : Shape;
    public sealed record Group(List<Shape> Steps, List<Shape> Rescue, List<Shape> Finally, IfFails? IfFails) : Shape;
    public sealed record Side(List<List<Shape>> Branches, bool FailFast) : Shape;
    public sealed record Each(int Count, int MaxParallel, List<Shape> Steps, IfFails? IfFails = null) : Shape;
    public sealed record Sub(List<Shape> Steps, List<Shape> Finally) : Shape;

    static readonly Gen<IfFails?> GenIfFails = Gen.Int[0, 3].Select(i => ((IfFails?[])[null, null, IfFails.Abort, IfFails.Continue])[i]);
    static readonly Gen<Shape> GenLeaf = GenIfFails.Select(f => (Shape)new Leaf(f));

    static Gen<List<Shape>> Steps(int depth, int least, int most) => Item(depth).List[least, most];

    static Gen<Shape> Item(int depth) => depth == 0 ? GenLeaf : Gen.Frequency(
        (5, GenLeaf),
        (1, Gen.Select(Steps(depth - 1, 1, 3), Steps(depth - 1, 0, 2), Steps(depth - 1, 0, 2), GenIfFails, (s, r, f, i) => (Shape)new Group(s, r, f, i))),
        (1, Gen.Select(Steps(depth - 1, 1, 2).List[1, 3], Gen.Bool, (b, f) => (Shape)new Side(b, f))),
        (1, Gen.Select(Gen.Int[0, 3], Gen.Int[1, 3], Steps(depth - 1, 1, 2), GenIfFails, (c, m, s, i) => (Shape)new Each(c, m, s, i))),
        (1, Gen.Select(Steps(depth - 1, 1, 2), Steps(0, 0, 1), (s, f) => (Shape)new Sub(s, f))));

    public static readonly Gen<Runbook> Any =
        Gen.Select(Steps(2, 1, 4), Steps(1, 0, 2), Steps(1, 0, 2), (s, r, f) => Build(s, r, f));

    public static Runbook Build(List<Shape> steps, List<Shape> rescue, List<Shape> tidy)
    {
        var n = 0;
        return Book(steps, rescue, tidy, ref n);
    }

    static Runbook Book(List<Shape> steps, List<Shape> rescue, List<Shape> tidy, ref int n) => new()
    {
        Name = "random",
        Title = "Random",
        Source = new SourceFile("random.yaml", [], ""),
        Steps = Items(steps, ref n),
        Rescue = Items(rescue, ref n),
        Finally = Items(tidy, ref n),
    };

    static List<Item> Items(List<Shape> shapes, ref int n)
    {
        var items = new List<Item>();
        foreach (var shape in shapes)
            items.Add(Make(shape, ref n));
        return items;
    }

    static Item Make(Shape shape, ref int n)
    {
        var id = $"s{n++}";
        switch (shape)
        {
            case Group g:
                return new GroupItem { Id = id, Position = Position.None, Steps = Items(g.Steps, ref n), Rescue = Items(g.Rescue, ref n), Finally = Items(g.Finally, ref n), IfFails = g.IfFails };
            case Side p:
                var branches = new List<IReadOnlyList<Item>>();
                foreach (var branch in p.Branches)
                    branches.Add(Items(branch, ref n));
                return new ParallelItem { Id = id, Position = Position.None, Branches = branches, FailFast = p.FailFast };
            case Each e:
                return new ForEachItem { Id = id, Position = Position.None, List = new Template(new JsonArray([.. Enumerable.Range(0, e.Count).Select(i => (JsonNode)i)]).ToJsonString(), Position.None), MaxParallel = e.MaxParallel, Steps = Items(e.Steps, ref n), IfFails = e.IfFails };
            case Sub s:
                var inner = 0;
                return new RunbookItem { Id = id, Position = Position.None, File = "sub.yaml", Inputs = [], Runbook = Book(s.Steps, [], s.Finally, ref inner) };
            default:
                return new StepItem { Id = id, Position = Position.None, Uses = "world.write", With = [], IfFails = ((Leaf)shape).IfFails };
        }
    }
}
