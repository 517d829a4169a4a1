using System.Collections.Immutable;

namespace Helix.Runbooks.Model.Expressions;

/// <summary>Which steps have succeeded for sure where a condition holds (or does not).</summary>
static class Narrowing
{
    public static ImmutableHashSet<string> Of(Expr condition, bool holds, Visible visible) => condition switch
    {
        Not not => Of(not.Of, !holds, visible),
        Binary { Operator: Operator.And } both => Joined(both, holds, visible, all: holds),
        Binary { Operator: Operator.Or } either => Joined(either, holds, visible, all: !holds),
        Binary { Operator: Operator.Equal, Right: Constant right } equal when holds && right.Value?.ToString() == "succeeded" => Succeeded(equal.Left.StepOf("status"), visible),
        Binary { Operator: Operator.Equal, Right: Constant right } equal when right.Value?.ToJsonString() is "true" or "false" =>
            Of(equal.Left, holds == (right.Value.ToJsonString() == "true"), visible),
        Dot dot when holds && dot.StepOf("succeeded") is { } id => Succeeded(id, visible),
        Dot dot when holds && dot.StepOf("started") is { } id => visible.Steps.TryGetValue(id, out var facts) ? facts.Before : [],
        _ => [],
    };

    static ImmutableHashSet<string> Joined(Binary binary, bool holds, Visible visible, bool all)
    {
        var (left, right) = (Of(binary.Left, holds, visible), Of(binary.Right, holds, visible));
        return all ? left.Union(right) : left.Intersect(right);
    }

    /// <summary>When a step has succeeded, so have those that it could not start without.</summary>
    static ImmutableHashSet<string> Succeeded(string? id, Visible visible) =>
        id is not null && visible.Steps.TryGetValue(id, out var facts) ? facts.Before.Add(id) : [];
}
