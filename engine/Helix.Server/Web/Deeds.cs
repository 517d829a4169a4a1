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
        var environment = live.Look().Report.Environment;
        if (caller.May(role, environment))
            return;
        var why = $"{caller.Account} has not the role {role.ToString().ToLowerInvariant()} on {environment}";
        site.Store.Append(live.Run, caller.Person, _ => [new DecisionRefused(question ?? "the run", what, why)]);
        throw new RefusedException($"{Helix.Runbooks.Reports.Words.Sentence(what)} is not allowed: {why}.");
    }

    public static DecisionResult Decide(Site site, Caller caller, LiveRun live, Decided decided)
    {
        var asked = live.Look().Questions.FirstOrDefault(q => q.Id == decided.Question || q.Path == decided.Question);
        // An answer before its gate is one to an approval.
        var role = asked is null || asked.Kind == QuestionKind.Approval ? Role.Approver : Role.Operator;
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
        engine.Note(live.Run, caller.Person, "resumed on the server");
        site.Drivers.GoOn(live.Run);
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
