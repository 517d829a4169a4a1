using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>Looks before the first change: tools, credentials, targets, space, people. Reads only; side by side, 5 s each.</summary>
static class Preflight
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    public static async Task<IReadOnlyList<Finding>> Look(Surroundings around, string folder, CancellationToken stop)
    {
        var used = around.Plan.Steps.SelectMany(s => s.Effects).Select(e => e.Target).OfType<string>().Distinct()
            .Where(around.Plan.Environment.Targets.All.ContainsKey).Select(n => around.Plan.Environment.Targets.All[n]).ToList();
        var findings = new List<Finding>(used.SelectMany(t => t.Tools).Concat(Tools(around.Plan)).Distinct().AsParallel().AsOrdered().Select(Tool));
        findings.AddRange(await Task.WhenAll(used.Select(t => Target(around, t, stop))));
        findings.AddRange(await Task.WhenAll(around.Plan.Steps.SelectMany(s => s.Secrets.Select(secret => (Secret: secret, s.Path))).GroupBy(s => s.Secret).Select(g => Named(around, g.Key, [.. g.Select(s => s.Path).Distinct()], stop))));
        // What targets and steps have revealed by now.
        findings.AddRange(around.Secrets.Words.Select(Word));
        findings.Add(Space(folder));
        findings.AddRange(People(around.Plan));
        return findings;
    }

    /// <summary>Executables that commands of the runbook name.</summary>
    static IEnumerable<string> Tools(Plan plan) =>
        plan.Steps.Where(s => s.Item.Uses == "command.run")
            .Select(s => s.With["argv"] is JsonArray { Count: > 0 } argv ? argv[0]!.ToString() : "")
            .Where(t => t.Length > 0 && !Template.Has(t) && !t.Contains('/'));

    static Finding Tool(string name)
    {
        var path = System.Environment.GetEnvironmentVariable("PATH") ?? "";
        var found = name.Contains('/') ? (File.Exists(name) ? name : null) : path.Split(':').Select(d => Path.Combine(d, name)).FirstOrDefault(File.Exists);
        return found is null
            ? new Finding($"tool {name}", FindingKind.Fault, "was not found", $"Install it, or add its folder to PATH (now {path}).")
            : new Finding($"tool {name}", FindingKind.Ok, $"{found}{Digest(found)}");
    }

    /// <summary>Which build of a tool a run has used, for the record.</summary>
    static string Digest(string file)
    {
        try
        {
            using var content = File.OpenRead(file);
            return $", sha256 {Convert.ToHexStringLower(SHA256.HashData(content))}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    static async Task<Finding> Target(Surroundings around, Target target, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(Limit, around.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        var subject = $"target {target.Name}";
        try
        {
            var found = around.Masker.Mask(await target.Check(around.Reading(both.Token)));
            return EnvironmentLabel.Fault(target, around.Plan.Environment.Name, await target.ReadLabel(around.Reading(both.Token))) is { } other
                ? new Finding(subject, FindingKind.Fault, other, EnvironmentLabel.Hint)
                : new Finding(subject, FindingKind.Ok, found);
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Auth)
        {
            return new Finding(subject, FindingKind.Warning, around.Masker.Mask(e.Message), e.Hint);
        }
        catch (StepFailedException e)
        {
            return new Finding(subject, FindingKind.Unknown, around.Masker.Mask(e.Message), e.Hint);
        }
        catch (RunbookException e)
        {
            return new Finding(subject, FindingKind.Fault, around.Masker.Mask(e.Message), e.Hint);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return new Finding(subject, FindingKind.Unknown, $"did not answer within {Limit.TotalSeconds:0} s");
        }
    }

    /// <summary>A secret of a step. What only Vault knows is not asked for: it may be what the run brings back.</summary>
    static async Task<Finding> Named(Surroundings around, Secret secret, IReadOnlyList<string> steps, CancellationToken stop)
    {
        var (subject, of) = ($"secret {string.Join(", ", secret.References)}", string.Join(", ", steps));
        if (secret.References.Any(r => r.StartsWith("vault:", StringComparison.Ordinal)))
            return new Finding(subject, FindingKind.Ok, $"named by {of}; Vault is asked when it is needed");
        try
        {
            await around.Secrets.Reveal(secret, stop);
            return new Finding(subject, FindingKind.Ok, $"is there, for {of}");
        }
        catch (StepFailedException e)
        {
            return new Finding(subject, FindingKind.Warning, $"{around.Masker.Mask(e.Message)} {of} will fail without it.", e.Hint);
        }
    }

    static Finding Word(string reference) => new($"secret {reference}", FindingKind.Warning,
        "is very short, or a word of this runbook, its environment or inputs: in options and outputs, which the run reads back, it is not masked", $"Set another password, of {Masker.ShortestStrong} characters or more.");

    static Finding Space(string folder)
    {
        var free = new DriveInfo(folder).AvailableFreeSpace;
        return new Finding("disk space", free < 100 << 20 ? FindingKind.Warning : FindingKind.Ok, $"{ByteSize.Words(free)} free for the run's files in {folder}");
    }

    static IEnumerable<Finding> People(Plan plan)
    {
        foreach (var step in plan.Steps.Where(s => s.Item.Uses == EngineItems.Approval))
        {
            var approvers = (step.With["approvers"] as JsonArray)?.Select(a => a!.ToString()).ToList() ?? [];
            var names = Approvals.Names(approvers, plan.Environment.Groups);
            yield return names.Count == 0
                ? new Finding($"approval {step.Path}", FindingKind.Fault, $"nobody is in {string.Join(", ", approvers)}", "Name the members under `people: groups:` of the environment.")
                : new Finding($"approval {step.Path}", FindingKind.Ok, string.Join(", ", names.Order()));
        }
    }
}
