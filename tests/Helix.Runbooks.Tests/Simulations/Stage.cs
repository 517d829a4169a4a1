using Helix.Runbooks.Model;
using Helix.Runbooks.Runs.Simulations;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Runs;

namespace Helix.Runbooks.Tests.Simulations;

/// <summary>A runbook, an environment and scenarios as text, in a folder of their own.</summary>
sealed class Stage : IDisposable
{
    const string Head = "apiVersion: helix.runbooks/v1\n";

    public string Folder { get; } = Directory.CreateTempSubdirectory("helix-stage-").FullName;

    /// <summary>Would be written by the real steps; no simulation may create it.</summary>
    public string World => Path.Combine(Folder, "world");

    public Stage(string runbook, string environment = "targets:\n  thing: { kind: thing, at: here }\npeople:\n  groups: { dba: [bob, carol], leads: [dora] }\n")
    {
        Write("env.yaml", Head + "name: env\n" + environment);
        Write("book.yaml", Head + "name: book\ntitle: A test\n" + runbook.Replace("WORLD", World, StringComparison.Ordinal));
    }

    public string Write(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    public ReadResult<Simulation> Read(string scenarios)
    {
        var path = Write("book.simulation.yaml", Head + "runbook: book.yaml\nenvironment: env.yaml\nscenarios:\n" + scenarios);
        return new SimulationReader(RunHarness.Catalog).ReadFile(path);
    }

    public async Task<(Simulation Simulation, IReadOnlyList<Played> Played)> Play(string scenarios)
    {
        var read = Read(scenarios);
        Assert.True(read.Value is not null, string.Join("\n", read.Problems));
        var played = await new Simulator(RunHarness.Catalog).Play(read.Value);
        Assert.False(File.Exists(World), "the simulation has done something");
        return (read.Value, played);
    }

    /// <summary>All scenarios come as expected.</summary>
    public async Task<IReadOnlyList<Played>> Holds(string scenarios)
    {
        var (_, played) = await Play(scenarios);
        Assert.Empty(played.SelectMany(p => p.Missed).Concat(played.SelectMany(p => p.Idle)));
        return played;
    }

    public async Task<Coverage> Covered(string scenarios) => Coverage.Of([await Play(scenarios)]).Single();

    public void Dispose() => TempFolder.Delete(Folder);
}

public sealed record ListOptions
{
    [System.ComponentModel.Description("The file that is the world.")]
    public required string World { get; init; }
}

public sealed record ListOutputs
{
    public required IReadOnlyList<string> Items { get; init; }
}

[Step("world.list", "Lists the lines of the world.")]
public sealed class WorldList : Step<ListOptions, ListOutputs>
{
    public override IEnumerable<TargetEffect> Effects(ListOptions options) => [];
    public override Task<ListOutputs> Run(ListOptions options, StepContext context) => Task.FromResult(new ListOutputs { Items = File.ReadAllLines(options.World) });
}
