using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Cli.Commands;

static class ExplainCommand
{
    public static Command Make(Session session)
    {
        var subject = new Argument<string?>("STEP|FIELD") { Description = "A step type, a kind of target, a field, STEP.OPTION, or `expressions`. Without one: the whole catalogue.", Arity = ArgumentArity.ZeroOrOne };
        subject.CompletionSources.Add(_ => [.. Explain.Known(session.Catalog).Select(s => new System.CommandLine.Completions.CompletionItem(s))]);
        return new Verb("explain", "Explains step types, kinds of targets, fields, options and expressions.", "helix explain", "helix explain redis.save", "helix explain approval.expiresAfter", "helix explain objectives.rto")
            .Takes(subject)
            .Does(parsed =>
            {
                if (parsed.GetValue(subject) is { } named)
                    Show(session, named);
                else
                    List(session);
                return 0;
            });
    }

    static void Show(Session session, string named)
    {
        var text = Explain.Of(session.Catalog, named);
        session.Terminal.Give(new JsonObject { ["name"] = named, ["text"] = text }, () => text);
    }

    static void List(Session session)
    {
        List<(string What, string Name, string Summary)> all =
        [
            .. EngineItems.All.Select(i => ("engine item", i.Key, i.Value.Summary)),
            .. session.Catalog.Steps.Values.Select(s => ("step type", s.Name, s.About.Summary)),
            .. session.Catalog.TargetKinds.Values.Select(k => ("kind of target", k.Name, k.About.Summary)),
            .. Explain.FieldsOfDocuments,
            ("values", "expressions", "What stands between {{ and }}: variables, operators, functions."),
        ];
        session.Terminal.Give(
            new JsonArray([.. all.Select(a => new JsonObject { ["name"] = a.Name, ["what"] = a.What, ["summary"] = a.Summary })]),
            () => string.Join("\n\n", all.GroupBy(a => a.What).Select(g => TextTable.Of([g.Key, ""], g.Select(a => (string[])["  " + a.Name, a.Summary])))));
    }
}
