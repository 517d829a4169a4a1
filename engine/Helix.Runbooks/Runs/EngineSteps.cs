using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>Starts the items that wait without a process: approval, manual, wait.</summary>
sealed class EngineSteps(Drive drive)
{
    public void Start(string path, StepItem item)
    {
        JsonObject with;
        try
        {
            with = drive.Record.Read(s => drive.Scope.Resolve(s, path, item));
            drive.Record.Append(item.Uses switch
            {
                EngineItems.Approval => Approval(path, (ApprovalOptions)StepJson.Bind(with, typeof(ApprovalOptions))),
                EngineItems.Manual => Manual(path, (ManualOptions)StepJson.Bind(with, typeof(ManualOptions))),
                EngineItems.Wait => Wait(path, (WaitOptions)StepJson.Bind(with, typeof(WaitOptions))),
                _ => throw new InvalidOperationException($"The engine has no item {item.Uses}."),
            });
        }
        catch (RunbookException e)
        {
            drive.Record.Append(new StepFailed(path, 0, FailureClass.InvalidData, drive.Masker.Mask(e.Message), e.Hint, null));
        }
    }

    QuestionAsked Approval(string path, ApprovalOptions options)
    {
        var shown = new JsonObject
        {
            ["plan"] = drive.Record.Read(s => s.PlanHash),
            ["environment"] = drive.Plan.Environment.Name,
            ["covered"] = Covered(path),
        };
        return Bound(Asked(path, options, drive.Index) with
        {
            Question = drive.Record.Read(s => NewId(s, path)),
            Message = drive.Masker.Mask(options.Message),
            Shown = shown,
            ExpiresAt = options.ExpiresAfter is { } time ? drive.Time.GetUtcNow() + time.Value : null,
        });
    }

    /// <summary>All of an approval that does not depend on the moment: what is asked of whom, by which rules, and the form.</summary>
    public static QuestionAsked Asked(string path, ApprovalOptions options, PlanIndex index) => new()
    {
        Question = path,
        Path = path,
        Kind = QuestionKind.Approval,
        Message = options.Message,
        ShownHash = "",
        Choices = ["approve", "reject"],
        Approvers = options.Approvers,
        Minimum = options.Minimum,
        OneFromEach = options.OneFromEach,
        SelfApproval = options.SelfApproval,
        AuthorMayApprove = options.AuthorMayApprove,
        Strength = (IdentityStrength?)options.Strength,
        OnExpiry = options.OnExpiry.ToString().ToLowerInvariant(),
        EscalateTo = options.EscalateTo,
        OnReject = options.OnReject == "abort" ? options.OnReject : PathOf(options.OnReject, path, index),
        Inputs = Form(options.Inputs),
    };

    /// <summary>The step that an id means where this item stands: in the same runbook, in the same round of the loops around both.</summary>
    static string PathOf(string id, string path, PlanIndex index) =>
        index.Find(path)!.Frame.Ids.TryGetValue(id, out var pattern) ? ScopeBuilder.Concrete(pattern, path) : id;

    QuestionAsked Manual(string path, ManualOptions options) => Bound(new QuestionAsked
    {
        Question = drive.Record.Read(s => NewId(s, path)),
        Path = path,
        Kind = QuestionKind.Manual,
        Message = drive.Masker.Mask(options.Instructions),
        Shown = new JsonObject { ["checklist"] = new JsonArray([.. options.Checklist.Select(c => JsonValue.Create(c))]), ["evidenceRequired"] = options.EvidenceRequired ? true : null },
        ShownHash = "",
        Choices = ["done", "failed"],
        Approvers = options.Assignees,
        SelfApproval = true,
        ExpiresAt = options.ExpiresAfter is { } time ? drive.Time.GetUtcNow() + time.Value : null,
        Inputs = Form(options.Inputs),
    });

    WaitStarted Wait(string path, WaitOptions options)
    {
        var until = options.Until ?? drive.Time.GetUtcNow() + (options.For ?? throw new RunbookException($"'{path}' waits for nothing.", "Give `for` or `until`.")).Value;
        return new WaitStarted(path, until);
    }

    /// <summary>The steps behind this gate with their options as far as they are known now.</summary>
    JsonObject Covered(string path)
    {
        var covered = new JsonObject();
        foreach (var step in drive.Plan.Steps.Where(s => s.Gate is { } g && ScopeBuilder.Concrete(g, path) == path && s.Effect > Effect.Reads))
        {
            var at = ScopeBuilder.Concrete(step.Path, path);
            covered[at] = new JsonObject
            {
                ["uses"] = step.Item.Uses,
                ["effect"] = step.Effect.ToString().ToLowerInvariant(),
                ["with"] = Known(at, step),
            };
        }
        return covered;
    }

    JsonObject Known(string path, PlannedStep step)
    {
        var known = new JsonObject();
        foreach (var (name, value) in step.Item.With)
            known[name] = drive.Record.Read(s => TryResolve(s, path, step, name, value))?.DeepClone();
        return known;
    }

    JsonNode? TryResolve(RunState state, string path, PlannedStep step, string name, JsonNode? value)
    {
        try
        {
            return path.Contains("[]") ? value : drive.Scope.Resolve(state, path, step.Item with { With = new JsonObject { [name] = value?.DeepClone() } })[name];
        }
        catch (RunbookException)
        {
            return value;
        }
    }

    /// <summary>Question id: path, round and count, so that an answer fits one asking only.</summary>
    public static string NewId(RunState state, string path) => $"{path}#{state.Round}.{state.Questions.Values.Count(q => q.Asked.Path == path) + 1}";

    /// <summary>The hash over all that is shown binds the answers (WFE-05).</summary>
    public static QuestionAsked Bound(QuestionAsked asked)
    {
        var text = JsonSerializer.Serialize(asked with { ShownHash = "" }, StepJson.Options);
        return asked with { ShownHash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))) };
    }

    static JsonObject Form(IReadOnlyDictionary<string, FormField> fields) => (JsonObject)JsonSerializer.SerializeToNode(fields, StepJson.Options)!;
}
