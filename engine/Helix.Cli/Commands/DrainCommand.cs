using System.CommandLine;

namespace Helix.Cli.Commands;

static class DrainCommand
{
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    public static Command Make(Session session)
    {
        var (node, lift, wait) = Parameters();
        return Verb().Takes(node).With(lift, wait).Does(async parsed =>
        {
            var name = parsed.GetValue(node)!;
            session.Store.Drain(name, session.Operator, !parsed.GetValue(lift));
            Said(session, name, parsed.GetValue(lift));
            while (parsed.GetValue(wait) && session.Store.Nodes().FirstOrDefault(n => n.Name == name) is { Drives.Count: > 0 })
                await Task.Delay(Look, session.Time);
            return 0;
        });
    }

    public static Verb Verb() => new("drain", "Asks a node to take no new runs and to give away what it drives after the running steps; then it can be stopped.", "helix drain helix-1 --wait", "helix drain helix-1 --lift");

    public static (Argument<string> Node, Option<bool> Lift, Option<bool> Wait) Parameters() => (
        new Argument<string>("NODE") { Description = "Its name, as `helix nodes` lists it." },
        Given.Flag("--lift", "It takes work again. So does a node that is started anew."),
        Given.Flag("--wait", "Waits until it drives nothing any more."));

    public static void Said(Session session, string name, bool lifted) => session.Terminal.Say(lifted ? $"Node {name} takes work again." : $"Node {name} takes nothing new, and gives away what it drives after the running steps.");
}
