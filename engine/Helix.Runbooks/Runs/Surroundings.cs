using System.Text.Json.Nodes;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>A plan with what is needed to look at the world for it, and nothing with which to change it.</summary>
sealed record Surroundings
{
    public required Plan Plan { get; init; }
    public required RunFacts Facts { get; init; }
    public required TimeProvider Time { get; init; }
    public required Masker Masker { get; init; }

    /// <summary>Relative <c>file:</c> references start here.</summary>
    public required string SecretsFolder { get; init; }
    public SecretSources Secrets => field ??= new(Masker) { BaseDirectory = SecretsFolder, Vault = ReadVault };

    /// <summary>A context for reading only: plan, pre-flight, identity, selectors.</summary>
    public PlanContext Reading(CancellationToken cancelled) => new(Facts, Plan.Environment.Targets, new ReadingHost(this), cancelled);

    Task<string> ReadVault(string target, string path, string field, CancellationToken cancelled) =>
        Plan.Environment.Targets.All.GetValueOrDefault(target) is IHoldsSecrets vault
            ? vault.ReadSecret(path, field, Reading(cancelled))
            : throw new RunbookException($"The reference vault:{target}/{path}#{field} names no target of kind vault.", "It is written vault:target/path#field.");
}

/// <summary>The engine's side of a context that only looks. What a step could leave behind is refused.</summary>
sealed class ReadingHost(Surroundings around) : StepHost
{
    readonly ProcessLauncher _launcher = new(new ProcessSettings { Masker = around.Masker, Time = around.Time });

    public override TimeProvider Time => around.Time;
    public override Task<string> Reveal(Secret secret, CancellationToken cancelled) => around.Secrets.Reveal(secret, cancelled);
    public override void Hide(string value) => around.Masker.Add(value);
    public override Tool Tool(string file, CancellationToken cancelled) => new(_launcher, file, cancelled);
    public override HttpClient Http(HttpSettings settings) => HttpClients.For(settings);
    public override void Log(string line) { }
    public override void Progress(double done, double? total, string unit) { }
    public override Task Save(string key, JsonNode value) => throw Refused();
    public override JsonNode? Saved(string key) => null;
    public override Task Leave(Residue residue) => throw Refused();
    public override Task TakeBack(string key) => throw Refused();

    static InvalidOperationException Refused() => new("A plan has no effects; only a running step leaves something behind.");
}
