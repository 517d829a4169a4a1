using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Plans;

/// <summary>The exact bytes that a run keeps: runbook, sub-runbooks, environment, and the files that options marked <see cref="PinnedFileAttribute"/> name.</summary>
static class Pins
{
    public static byte[]? FromDisk(string path) => File.Exists(path) ? File.ReadAllBytes(path) : null;

    public static IReadOnlyDictionary<string, SourceFile> Of(Runbook runbook, Model.Environment environment, IReadOnlyList<PlannedStep> steps, StepCatalog catalog, Func<string, byte[]?> open)
    {
        var pinned = new SortedDictionary<string, SourceFile>(StringComparer.Ordinal);
        void Add(SourceFile file) => pinned[Path.GetFullPath(file.Path)] = file;
        AddRunbook(runbook, Add);
        Add(environment.Source);
        var folder = Path.GetDirectoryName(Path.GetFullPath(runbook.Source.Path))!;
        foreach (var path in steps.SelectMany(s => FilesNamed(s, catalog)).Distinct())
            if (open(Path.GetFullPath(path, folder)) is { } bytes)
                Add(new SourceFile(Path.GetFullPath(path, folder), bytes, Convert.ToHexStringLower(SHA256.HashData(bytes))));
        return pinned;
    }

    static void AddRunbook(Runbook runbook, Action<SourceFile> add)
    {
        add(runbook.Source);
        foreach (var place in new PlanIndex(runbook).All)
            if (place.Item is RunbookItem sub)
                add(sub.Runbook.Source);
    }

    static IEnumerable<string> FilesNamed(PlannedStep step, StepCatalog catalog) =>
        catalog.Steps.TryGetValue(step.Item.Uses, out var type)
            ? type.OptionsType.GetProperties()
                .Where(p => p.IsDefined(typeof(PinnedFileAttribute), inherit: true))
                .Select(p => step.With[JsonNamingPolicy.CamelCase.ConvertName(p.Name)])
                .SelectMany(v => v is JsonArray list ? list.AsEnumerable() : [v])
                .OfType<JsonValue>()
                .Select(v => v.TryGetValue<string>(out var path) ? path : "")
                .Where(p => p.Length > 0 && !Template.Has(p))
            : [];
}
