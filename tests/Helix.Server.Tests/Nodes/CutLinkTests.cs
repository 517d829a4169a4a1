using System.Net;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Tests.Postgres;

namespace Helix.Server.Tests.Nodes;

/// <summary>Five nodes on five machines, of which four get into trouble at the same moment.</summary>
[Timed]
public sealed class CutLinkTests
{
    [Fact]
    public async Task Nodes_that_are_killed_stopped_or_cut_off_in_either_direction_lose_their_runs_to_another_within_15_seconds_and_nothing_is_done_twice()
    {
        using var machines = new Machines();
        using var postgres = new PostgresServer { Address = machines.Address };
        await using var cluster = new Cluster(postgres);
        string[] names = ["killed", "stopped", "mute", "deaf"];
        var nodes = (await cluster.Start([.. names.Append("spare").Select(machines.Node)])).ToDictionary(n => n.Name);
        var runs = new Dictionary<string, string>();
        foreach (var name in names)
            runs[name] = await nodes[name].Run("count");
        await Task.WhenAll(runs.Values.Select(r => cluster.Tried(r)));
        Assert.Equal(names, names.Select(n => cluster.State(runs[n]).Driver!.Host));
        var children = names.ToDictionary(n => n, n => cluster.Tries(runs[n])[0]);

        var trouble = new Dictionary<string, DateTimeOffset>();
        void Comes(string name) => trouble[name] = TimeProvider.System.GetUtcNow();
        nodes["killed"].Kill();
        Comes("killed");
        await nodes["stopped"].Stop();
        Comes("stopped");
        machines.Mute("mute", postgres.Port);
        Comes("mute");
        machines.Deafen("deaf", postgres.Port);
        Comes("deaf");
        await cluster.Until(() => runs.Values.All(r => cluster.State(r).Epoch > 1), "another node has all runs");
        foreach (var name in names)
        {
            var taken = cluster.Store.Read(runs[name]).Single(e => e is { Epoch: 2, Event: LeaseTaken });
            Assert.InRange((taken.At - trouble[name]).TotalSeconds, 5, 15);
            Assert.Equal("spare", ((LeaseTaken)taken.Event).Driver.Host);
        }
        // Who cannot reach the database has ended what it had started before another one could begin.
        Assert.Equal([false, false], new[] { "mute", "deaf" }.Select(n => IsAlive(children[n])));
        await Task.WhenAll(runs.Values.Select(r => cluster.Tried(r, 2)));

        // Who wakes up ends what it had started, and writes nothing more.
        Assert.True(IsAlive(children["stopped"]));
        nodes["stopped"].Continue();
        machines.Heal("mute");
        machines.Heal("deaf");
        await cluster.Until(() => !IsAlive(children["stopped"]), "the node that was stopped has ended its child");
        foreach (var run in runs.Values)
            cluster.GoOn(run);
        await Task.WhenAll(runs.Values.Select(cluster.Ends));
        foreach (var run in runs.Values)
        {
            cluster.Sound(run);
            Assert.Equal((2, 2), (cluster.State(run).Epoch, cluster.Tries(run).Length));
        }
        Assert.Empty(cluster.Store.VerifyRegister());

        // All but the dead one work again.
        foreach (var name in names[1..])
        {
            await Eventually.True(async () => await nodes[name].Ready() == HttpStatusCode.OK, $"{name} is ready");
            var run = await nodes[name].Run("count");
            cluster.GoOn(run);
            await cluster.Ends(run);
            Assert.Equal(name, cluster.State(run).Driver!.Host);
        }
    }

    static bool IsAlive(string pid) => Directory.Exists("/proc/" + pid);
}
