using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Server.Live;

namespace Helix.Server.Web;

/// <summary>What a caller does to a run, the same for pages and API: may it be, do it, let the run go on.</summary>
static class Deeds
{
    /// <exception cref="RefusedException">Not with this role; it stands in the record of the run.</exception>
    public static void Demand(Site site, Caller caller, Role role, LiveRun live, string what, string? question = null)
    {
        var environment = live.Environment;
        if (caller.May(role, environment))
            return;
        var why = $"{caller.Account} has not the role {role.ToString().ToLowerInvariant()} on {environment}";
        site.Store.Append(live.Run, caller.Person, _ => [new DecisionRefused(question ?? "the run", what, why)]);
        throw new RefusedException($"{Helix.Runbooks.Reports.Words.Sentence(what)} is not allowed: {why}.");
    }

    public static DecisionResult Decide(Site site, Caller caller, LiveRun live, Decided decided)
    {
        // An answer before its gate is one to an approval.
        var role = (live.KindOf(decided.Question) ?? QuestionKind.Approval) == QuestionKind.Approval ? Role.Approver : Role.Operator;
        Demand(site, caller, role, live, decided.Choice, decided.Question);
        var result = site.NewEngine().Decide(live.Run, caller.Person, decided);
        if (result.Accepted && result.State.Ended is null && IsFree(site, live.Run))
            site.Drivers.GoOn(live.Run);
        return result;
    }

    public static void Cancel(Site site, Caller caller, LiveRun live, string? reason)
    {
        site.NewEngine().Cancel(live.Run, caller.Person, Said(reason, "A reason"));
        if (IsFree(site, live.Run))
            site.Drivers.GoOn(live.Run);
    }

    /// <summary>Asks the driver to let the run go; who takes it later would not know that it was asked.</summary>
    public static void Pause(Site site, Caller caller, LiveRun live)
    {
        if (!live.Look().Ended && IsFree(site, live.Run))
            throw new RunbookException($"Nobody drives run {live.Run} now, so that there is nothing to pause.", "It goes on when it is answered or resumed; a cancel ends it.");
        site.NewEngine().Pause(live.Run, caller.Person, null);
    }

    /// <param name="confirmed">The name of a protected environment, as it was typed.</param>
    public static void Resume(Site site, Caller caller, LiveRun live, string? confirmed)
    {
        var model = live.Look();
        if (model.Ended)
            throw new RunbookException($"Run {live.Run} has ended.");
        if (!model.Resumable)
            throw new HeldException($"Run {live.Run} is driven already: {model.Driver.Who}.");
        if (model.Unconfirmed && confirmed is null)
            throw new RunbookException($"'{model.Report.Environment}' is protected and this run destroys data in it.", "Type the name of the environment. Nothing was done.");
        var engine = site.NewEngine();
        if (confirmed is not null)
            engine.ConfirmDestruction(live.Run, caller.Person, confirmed);
        engine.Resume(live.Run, caller.Person);
        site.Drivers.GoOn(live.Run);
    }

    /// <summary>Agrees to what somebody else approved alone.</summary>
    public static void Ratify(Site site, Caller caller, LiveRun live, string? question, string? reason)
    {
        Demand(site, caller, Role.Approver, live, "ratify", question);
        site.NewEngine().Ratify(live.Run, caller.Person, string.IsNullOrEmpty(question) ? null : question, Said(reason, "A reason"));
    }

    /// <summary>Also by those who approve, and after the end: who does not agree with what somebody approved alone says so here.</summary>
    public static void Note(Site site, Caller caller, LiveRun live, string? text)
    {
        Demand(site, caller, caller.May(Role.Approver, live.Look().Report.Environment) ? Role.Approver : Role.Operator, live, "note");
        site.NewEngine().Note(live.Run, caller.Person, Said(text, "A note"));
    }

    /// <summary>Hands a secret to the driver in this process; it is kept nowhere.</summary>
    public static void GiveSecret(Site site, Caller caller, LiveRun live, string name, string value)
    {
        var model = live.Look();
        if (!site.Settings.IsSecure && !System.Net.IPAddress.IsLoopback(site.Settings.Listen.Address))
            throw new RunbookException("This server is reached without TLS, so that everybody on the way could read the secret.", $"Give it on the machine of the driver: helix secret {live.Run}");
        if (model.Secrets.FirstOrDefault(s => s.Asked.Ask == name || s.Asked.Name == name) is not { } secret)
            throw new RunbookException($"Run {live.Run} does not ask for that now.", "It may have been given, or its time is over; load the page of the run.");
        // Whom a secret is asked of needs no role for it; what is asked of anybody is an operator's.
        if (secret.Asked.From.Count == 0)
            Demand(site, caller, Role.Operator, live, "give a secret", secret.Asked.Ask);
        var given = site.Drivers.EngineOf(live.Run)?.GiveSecretHere(live.Run, caller.Person, secret.Asked.Ask, value)
            ?? throw new RunbookException($"Run {live.Run} is not driven by this server, and only its driver takes a secret.",
                site.Store.ReadLease(live.Run) is { Released: false } lease && site.Membership.Of(lease.Driver) is { } node ? $"Give it on the node that drives it: {new Uri(new Uri(node.Address), "/runs/" + live.Run)}" : $"On its machine: helix secret {live.Run} {secret.Asked.Name}");
        if (!given.Accepted)
            throw new RunbookException($"'{secret.Asked.Name}' was refused: {given.Message}.", "The refusal stands in the record; the value does not.");
    }

    static bool IsFree(Site site, string run) => site.Store.ReadLease(run) is not { Released: false } lease || DriverIdentity.IsGone(lease.Driver);

    public static string Said(string? text, string what) => string.IsNullOrWhiteSpace(text) ? throw new RunbookException($"{what} is needed; it goes into the record.") : text.Trim();

    /// <summary>Values of options and outputs: JSON where it is JSON, else text.</summary>
    public static JsonObject Typed(JsonObject texts) => new(texts.Select(t => KeyValuePair.Create(t.Key, Parsed(t.Value!.ToString()))));

    static JsonNode? Parsed(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }
}
