using System.Net;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Tests.Postgres;

namespace Helix.Server.Tests.Nodes;

/// <summary>Three real servers as processes of this machine.</summary>
public sealed class NodesTests : IAsyncLifetime
{
    readonly PostgresServer _postgres = new();
    Cluster _cluster = null!;
    NodeProcess _a = null!, _b = null!, _c = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = new Cluster(_postgres);
        var nodes = await _cluster.Start(c => new NodeProcess(c, "a", more: ["--label", "site=a"]), c => new NodeProcess(c, "b", more: ["--label", "site=b"]), c => new NodeProcess(c, "c"));
        (_a, _b, _c) = (nodes[0], nodes[1], nodes[2]);
    }

    /// <summary>One after the other on the same three nodes, since to start them takes the most time.</summary>
    [Fact]
    public async Task Runs_go_where_they_may_and_outlive_a_drained_node_a_killed_one_and_a_database_that_restarts()
    {
        await A_runbook_runs_where_what_it_needs_is_and_one_request_to_all_nodes_makes_one_run();
        await A_drained_node_gives_away_a_killed_one_loses_nothing_and_a_database_that_restarts_is_waited_for();
    }

    async Task A_drained_node_gives_away_a_killed_one_loses_nothing_and_a_database_that_restarts_is_waited_for()
    {
        var killed = await _a.Run("count");
        var drained = await _b.Run("count");
        await Task.WhenAll(_cluster.Tried(killed), _cluster.Tried(drained));
        Assert.Equal([("a", killed), ("b", drained), ("c", "")], _cluster.Store.Nodes().Select(n => (n.Name, string.Join(' ', n.Drives))));

        // The step that runs comes to its end, then another node has the rest.
        using (var terminal = new HelixProcess(_cluster.StoreName, _cluster.Folder, ["--server", _c.Client.BaseAddress!.ToString(), "drain", "b"], variables: [("HELIX_TOKEN", _cluster.Token)]))
            Assert.Equal(0, await terminal.End());
        await Eventually.True(async () => await _b.Ready() == HttpStatusCode.ServiceUnavailable, "b is not ready");
        Assert.Equal(1, _cluster.State(drained).Epoch);
        var handedOn = await _b.Run("count");
        await _cluster.Tried(handedOn);
        _cluster.GoOn(drained);
        await _cluster.Ends(drained);
        Assert.Contains(_cluster.Store.Read(drained), e => e.Event is RunSuspended { Reason: "its node is drained" });
        Assert.Single(_cluster.Tries(drained));
        await _cluster.Until(() => _cluster.Store.Nodes().Single(n => n.Name == "b") is { DrainedBy: "root", Drives.Count: 0 }, "b drives nothing");
        Assert.NotEqual(_b.Pid, _cluster.State(handedOn).Driver!.Pid);

        // Any page of any node; the run goes on on another node. How soon is seen in CutLinkTests, for which the machine has the time.
        Assert.Equal(HttpStatusCode.OK, (await _c.Client.GetAsync("/api/v1/runs/" + killed)).StatusCode);
        _a.Kill();
        await _cluster.Until(() => _cluster.State(killed).Epoch > 1, "another node has the run");
        await _cluster.Until(() => _cluster.Store.Logs(killed).Any(l => l.Text.Contains("still runs", StringComparison.Ordinal)), "it waits for what outlived the node");
        Assert.Single(_cluster.Tries(killed));

        _postgres.Stop("immediate");
        _cluster.GoOn(killed);
        _cluster.GoOn(handedOn);
        _postgres.Start();
        await Task.WhenAll(_cluster.Ends(killed), _cluster.Ends(handedOn));
        // Its process outlived the node and was waited for; since only its exit code was lost, the reading step ran again. A database that is away for longer than a lease holds costs one more try.
        Assert.InRange(_cluster.Tries(killed).Length, 2, 3);
        foreach (var run in new[] { killed, drained, handedOn })
            _cluster.Sound(run);
        Assert.Empty(_cluster.Store.Locks());
        Assert.Empty(_cluster.Store.VerifyRegister());
        Assert.DoesNotContain("canary", _b.Said + _c.Said, StringComparison.Ordinal);
    }

    async Task A_runbook_runs_where_what_it_needs_is_and_one_request_to_all_nodes_makes_one_run()
    {
        _cluster.Write("site.yaml", _cluster.Counting("site", "needs: { site: b }"));
        _cluster.Write("nowhere.yaml", _cluster.Counting("nowhere", "needs: { site: z }"));
        var there = await _c.Run("site");
        await _cluster.Tried(there);
        Assert.Equal(_b.Pid, _cluster.State(there).Driver!.Pid);
        var nowhere = await _a.Run("nowhere");
        Assert.Equal("waits for a node with site=z", _cluster.State(nowhere).SuspendedBecause);
        using (var terminal = new HelixProcess(_cluster.StoreName, _cluster.Folder, ["run", Path.Combine(_cluster.Runbooks, "site.yaml"), "-e", Path.Combine(_cluster.Runbooks, "environments", "here.yaml"), "--unattended"]))
        {
            Assert.Equal(2, await terminal.End());
            Assert.Contains("'site' needs a machine with site=b, and this one has no labels", terminal.Said, StringComparison.Ordinal);
        }
        using (var terminal = new HelixProcess(_cluster.StoreName, _cluster.Folder, ["nodes"]))
        {
            Assert.Equal(0, await terminal.End());
            Assert.Matches("b +http://127.0.0.1:[0-9]+/ +site=b .* takes work +" + there, terminal.Said);
        }

        var asked = await Task.WhenAll(new[] { _a, _b, _c, _a, _b, _c }.Select(n => n.Run("count", "the same")));
        Assert.Single(asked.Distinct());
        await _cluster.Tried(asked[0]);
        Assert.Single(_cluster.Store.Runs(runbook: "count"));
        foreach (var run in new[] { there, asked[0] })
        {
            _cluster.GoOn(run);
            await _cluster.Ends(run);
            _cluster.Sound(run);
            Assert.Single(_cluster.Tries(run));
        }
        Assert.Equal("waits for a node with site=z", _cluster.State(nowhere).SuspendedBecause);
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _postgres.Dispose();
    }
}
