using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Mode = Helix.Runbooks.Plans.Mode;

namespace Helix.Server.Web;

/// <summary>A run that somebody wants.</summary>
sealed record Wanted
{
    public required string Runbook { get; init; }
    public required string Environment { get; init; }
    public string Mode { get; init; } = "live";
    public JsonObject Inputs { get; init; } = [];
    public string? Incident { get; init; }
    public DateTimeOffset? OccurredAt { get; init; }
    public DateTimeOffset? DeclaredAt { get; init; }
    public string Comms { get; init; } = "on";

    /// <summary>The name of a protected environment, typed.</summary>
    public string? Confirmed { get; init; }
    /// <summary>The run that it becomes, when that is settled: a second wish for it gets the same.</summary>
    public string? Run { get; init; }
    public required string Trigger { get; init; }
    public required bool Attended { get; init; }

    /// <summary>Of everything that was asked for: the same key with another digest is another wish.</summary>
    public string Digest => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\n', Runbook, Environment, Mode, Inputs.ToJsonString(StepJson.Options), Incident, OccurredAt, DeclaredAt, Comms, Attended))));
}

/// <summary>From a wish to a run: once, however often it is asked for.</summary>
static class Starting
{
    public static Plan PlanOf(Site site, string runbook, string environment, JsonObject inputs, string mode)
    {
        var targets = site.Library.SoundEnvironment(environment);
        var text = Library.Sound(site.Library.Runbook(runbook, targets), runbook);
        return new Planner(site.Catalog).Plan(text, targets, inputs, mode switch
        {
            "live" => Mode.Live,
            "drill" => Mode.Drill,
            _ => throw new RunbookException($"'{mode}' is no mode of a run.", "live or drill."),
        });
    }

    /// <param name="key">Chosen by whoever asks; a second request with it gets the run of the first.</param>
    public static string Start(Site site, Caller caller, Wanted wanted, string? key)
    {
        if (!caller.May(Role.Operator, wanted.Environment))
            throw new RefusedException($"Starting a run needs the role operator on {wanted.Environment}.");
        var plan = PlanOf(site, wanted.Runbook, wanted.Environment, wanted.Inputs, wanted.Mode);
        if (wanted.Comms is not ("on" or "test" or "off"))
            throw new RunbookException($"'{wanted.Comms}' says nothing about messages.", "on, test or off.");
        CheckConfirmed(plan, wanted.Confirmed);
        var run = wanted.Run ?? RunId.New(site.Time);
        if (!string.IsNullOrEmpty(key))
        {
            (run, var other) = site.Accounts.Reserve(caller.Account, key, wanted.Digest, run);
            if (other)
                throw new RunbookException("This key was used before for another request.", "A key belongs to one request; choose a fresh one.");
            if (site.Store.Has(run))
                return run;
        }
        return Once(site, run, () => site.Drivers.Start(plan, new StartRequest
        {
            Run = run,
            Operator = caller.Person,
            Trigger = wanted.Trigger,
            Attended = wanted.Attended,
            OccurredAt = wanted.OccurredAt,
            DeclaredAt = wanted.DeclaredAt,
            Incident = wanted.Incident,
            Comms = wanted.Comms,
        }, wanted.Confirmed));
    }

    /// <summary>Two may ask at the same moment: the store takes one, and both get its run.</summary>
    public static string Once(Site site, string run, Func<string> start)
    {
        try
        {
            return start();
        }
        catch (RunbookException) when (site.Store.Has(run))
        {
            return run;
        }
    }

    static void CheckConfirmed(Plan plan, string? confirmed)
    {
        if (confirmed is not null && confirmed != plan.Environment.Name)
            throw new RunbookException($"The environment is '{plan.Environment.Name}', not '{confirmed}'.", "Nothing was done.");
        if (confirmed is null && plan.Environment.Protected && plan.Destroys && plan.Mode == Mode.Live)
            throw new RunbookException($"'{plan.Environment.Name}' is protected and this plan destroys data in it.", "Type the name of the environment if that is what shall be. Nothing was done.");
    }
}
