using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Expressions;
using Helix.Runbooks.Model.Shapes;

namespace Helix.Runbooks.Model.Triggers;

/// <summary>What expressions of a trigger may name: the alert, or the body of a signed hook.</summary>
static class TriggerScope
{
    static readonly Shape Alert = RecordShape.Of("alert",
    [
        new("labels", new MapShape(Shape.Text)), new("annotations", new MapShape(Shape.Text)), new("startsAt", Shape.Text), new("fingerprint", Shape.Text), new("generatorURL", Shape.Text),
    ]);

    public static string NameOf(HookSource from) => from == HookSource.Alertmanager ? "alert" : "body";

    public static TemplateChecks Checks(ProblemList problems) =>
        new(problems, new Visible(Empty("inputs"), Empty("vars"), Empty("targets"), ImmutableHashSet<string>.Empty));

    public static Flow Flow(HookSource from) => new() { Elements = ImmutableDictionary<string, Shape>.Empty.Add(NameOf(from), from == HookSource.Alertmanager ? Alert : Shape.Any) };

    static RecordShape Empty(string name) => RecordShape.Of(name, []);
}
