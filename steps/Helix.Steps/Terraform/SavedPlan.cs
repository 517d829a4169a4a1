using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Terraform;

/// <summary>A plan that was saved, shown and approved, on its way into the world.</summary>
sealed class SavedPlan(SavedPlanOptions options, StepContext context)
{
    const int MostReads = 3;
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    readonly TerraformCall _call = new(context.Target<TerraformTarget>(options.Target), context);

    string Key => $"applied-{options.Sha256}";

    public async Task<TerraformApplyOutputs> Apply(Action<PlanContents> judge)
    {
        // A plan can be applied once; what an earlier attempt still owes is to read the outputs.
        if (context.Saved(Key) is JsonObject applied)
            return await Read(applied);
        Directory.CreateDirectory(context.Run.Work);
        // What was compared is what is applied, whatever happens to the file meanwhile.
        var copy = Path.Combine(context.Run.Work, $".plan-{Guid.NewGuid():N}");
        try
        {
            await Take(copy);
            judge(new(await _call.Show(copy)));
            var events = await _call.Watched(context, options.LockWait, options.StopWait, ["apply"], [copy]);
            await context.Save(Key, events.Changes);
            return await Read(events.Changes);
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Cancelled)
        {
            await SayWhatIsThere();
            throw;
        }
        finally
        {
            File.Delete(copy);
        }
    }

    async Task<TerraformApplyOutputs> Read(JsonObject changes)
    {
        for (var tries = 1; ; tries++)
            try
            {
                return new()
                {
                    Added = Number(changes, "add"),
                    Changed = Number(changes, "change"),
                    Removed = Number(changes, "remove"),
                    Outputs = Outputs((await _call.Show())["values"]),
                };
            }
            catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
            {
                if (tries == MostReads)
                    throw new StepFailedException(e.Failure, $"The plan is applied, but the outputs cannot be read: {e.Message}", "Try again: it reads them and applies nothing.", e);
                await context.Delay(Pause);
            }
    }

    async Task Take(string copy)
    {
        var path = context.FullPath(options.Plan);
        if (!File.Exists(path))
            throw StepFailedException.Missing($"There is no plan {path}.", "Make it again with terraform.plan, and have it approved again.");
        await using var from = File.OpenRead(path);
        await using var to = new FileStream(copy, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        var (_, sha256) = await Digest.Copy(from, to, context.Cancelled);
        if (sha256 != options.Sha256)
            throw StepFailedException.Conflict($"{path} is not the plan that was approved: its digest is {sha256[..12]}…, and {options.Sha256[..12]}… was shown.", "Go back to the plan step and ask again.");
    }

    /// <summary>After an interrupt: terraform has written its state, and people want to know what is in it.</summary>
    async Task SayWhatIsThere()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20), context.Time);
        try
        {
            var state = await new TerraformCall(context.Target<TerraformTarget>(options.Target), context.Until(limit.Token)).Show();
            var all = PlanContents.ResourcesIn(state["values"]?["root_module"]).Select(r => $"{r["address"]}{(IsTainted(r) ? " (tainted: it will be replaced)" : "")}").ToList();
            context.Log($"The state holds now: {(all.Count > 0 ? string.Join(", ", all) : "nothing")}.");
        }
        catch (Exception e) when (e is StepFailedException or OperationCanceledException)
        {
            context.Log($"What the state holds now could not be read. {e.Message}");
        }
    }

    /// <summary>Done: each planned change is in the state. Not done: the state is that of the plan. Else somebody must look.</summary>
    public async Task<ProbeResult<TerraformApplyOutputs>> Probe()
    {
        var plan = new PlanContents(await _call.Show(context.FullPath(options.Plan)));
        var values = (await _call.Show())["values"];
        var there = PlanContents.ResourcesIn(values?["root_module"]).ToDictionary(r => r["address"]!.ToString());
        var outputs = new PlannedOutputs(plan, values?["outputs"] as JsonObject ?? []);
        List<string> open = [.. plan.Resources.Where(r => IsUntouched(r, plan, there) || !IsDone(r, there)).Select(r => r["address"]!.ToString()), .. outputs.Open];
        if (open.Count == 0)
            return ProbeResult<TerraformApplyOutputs>.Done(
                new() { Added = plan.Count("create") + plan.Count("replace"), Changed = plan.Count("update"), Removed = plan.Count("delete") + plan.Count("replace"), Outputs = Outputs(values) },
                "the state holds all that was planned");
        return SameResources(plan.PriorValues, values) && outputs.AsBefore
            ? ProbeResult<TerraformApplyOutputs>.NotDone("the state is what it was when the plan was made")
            : ProbeResult<TerraformApplyOutputs>.Unknown($"done in part; open: {string.Join(", ", open)}. Make a new plan to see what is left");
    }

    /// <summary>The plan saw that it had drifted or was lost, and the state says still what it said before that look: the apply has not come to it.</summary>
    internal static bool IsUntouched(JsonObject planned, PlanContents plan, Dictionary<string, JsonObject> there)
    {
        var address = planned["address"]!.ToString();
        return planned["change"]!["actions"]![0]!.ToString() is not ("no-op" or "read") && plan.BeforeDrift(address) is { } before && JsonNode.DeepEquals(before, there.GetValueOrDefault(address)?["values"]);
    }

    static bool IsDone(JsonObject planned, Dictionary<string, JsonObject> there)
    {
        var change = planned["change"]!;
        var action = new PlannedChange("", change["actions"]!.AsArray() is { Count: 2 } ? "replace" : change["actions"]![0]!.ToString()).Action;
        var now = there.GetValueOrDefault(planned["address"]!.ToString());
        return action switch
        {
            "no-op" or "read" => true,
            "delete" or "forget" => now is null,
            "replace" => now is not null && !IsTainted(now) && now["values"]?["id"]?.ToString() != change["before"]?["id"]?.ToString(),
            // What is known only after the apply is not in the plan: the rest may be in the state before it.
            "update" when JsonNode.DeepEquals(change["before"], now?["values"]) => false,
            _ => now is not null && !IsTainted(now) && (change["after"] as JsonObject ?? []).All(v => JsonNode.DeepEquals(v.Value, now["values"]?[v.Key])),
        };
    }

    static bool IsTainted(JsonObject resource) => resource["tainted"]?.GetValue<bool>() == true;

    static bool SameResources(JsonNode? before, JsonNode? now)
    {
        var (a, b) = (PlanContents.ResourcesIn(before?["root_module"]).ToList(), PlanContents.ResourcesIn(now?["root_module"]).ToList());
        return a.Count == b.Count && a.Zip(b).All(p => JsonNode.DeepEquals(p.First["address"], p.Second["address"]) && JsonNode.DeepEquals(p.First["values"], p.Second["values"]) && IsTainted(p.First) == IsTainted(p.Second));
    }

    static Dictionary<string, JsonNode?> Outputs(JsonNode? values) =>
        (values?["outputs"] as JsonObject ?? []).ToDictionary(o => o.Key, o => o.Value?["sensitive"]?.GetValue<bool>() == true ? JsonValue.Create("***") : o.Value?["value"]?.DeepClone());

    static int Number(JsonObject changes, string name) => changes[name]?.GetValue<int>() ?? 0;
}
