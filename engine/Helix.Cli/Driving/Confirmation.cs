using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;
using Mode = Helix.Runbooks.Plans.Mode;

namespace Helix.Cli.Driving;

/// <summary>Before anything in a protected environment is destroyed its name is typed, once per plan.</summary>
static class Confirmation
{
    /// <returns>The typed name; null when none is needed.</returns>
    /// <exception cref="RunbookException">Not given, or another name. Nothing was done.</exception>
    public static string? Of(Session session, Plan plan, string? given, bool attended)
    {
        var name = plan.Environment.Name;
        if (given is not null && given != name)
            throw new RunbookException($"The environment is '{name}', not '{given}'.", "Look again at --environment. Nothing was done.");
        if (!plan.Environment.Protected || !plan.Destroys || plan.Mode is not (Mode.Live or Mode.Drill))
            return null;
        return given ?? (attended ? Ask(session, plan, name) : throw new RunbookException(
            $"'{name}' is protected and this plan destroys data in it: {Losses(plan)}.", $"Add `--confirm-environment {name}` when that is what you want. Nothing was done."));
    }

    static string Ask(Session session, Plan plan, string name)
    {
        session.Terminal.Error.WriteLine($"'{name}' is protected and this plan destroys data in it: {Losses(plan)}.");
        session.Terminal.Error.Write("Type the name of the environment to go on: ");
        return session.Terminal.In.ReadLine()?.Trim() == name
            ? name
            : throw new RunbookException("The name was not typed.", "Nothing was done.");
    }

    static string Losses(Plan plan) => string.Join("; ", plan.Steps
        .SelectMany(s => s.Effects.Where(e => e.Effect == Effect.Destroys).Select(e => $"{s.Path} destroys {e.What ?? e.Target}")).Distinct());
}
