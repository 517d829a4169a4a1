using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Neo4j;

/// <summary>One load: look, stop, set the present store aside, load, start, compare; and back to the old store unless all of it went well.</summary>
sealed class GraphLoading(Neo4jTarget target, LoadSource source, Neo4jReplaceOptions options, StepContext context)
{
    static readonly TimeSpan PuttingBack = TimeSpan.FromMinutes(5);

    readonly Outage _outage = new(target, options.Grace, options.ReadyWithin, context);
    LoadProgress _at = null!;
    AdminTool _admin = null!;
    StoreFolder _store = null!;

    string SafetyKey => $"safety-copy:{target.Name}:{_store.Aside}";

    public async Task<Neo4jLoadOutputs> Run()
    {
        await Look();
        try
        {
            if (_at.Stage < LoadStage.Loaded)
                await Load();
            return await StartAndCheck();
        }
        catch (Exception e)
        {
            await PutBack(e);
            throw;
        }
    }

    /// <summary>Everything that can be known is known before the server is stopped.</summary>
    async Task Look()
    {
        var now = await GraphLook.At(target, options.Database, context);
        _admin = await AdminTool.Of(target, now.Facts, options.Memory, context);
        var version = now.Facts?.Version ?? _admin.Version;
        var database = ServerFacts.Database(options.Database ?? target.Database, version);
        var saved = LoadProgress.Of(context) is { Stage: < LoadStage.Done } earlier ? earlier : null;
        var round = saved is null ? NewRound() : saved.Round;
        _store = new(target, database, context) { Round = round };
        LoadRules.CheckDatabase(options.Database, target, now.Facts?.Edition ?? target.Edition);
        source.Check(now.Facts, version);
        if (saved is null)
            await LoadRules.CheckRoom(source, _admin, _store, target.Name, options.Room, context);
        // Once the old store is aside, what runs is our own doing.
        var ran = saved is { Stage: >= LoadStage.Loading } ? saved.Ran : saved?.Ran == true || (await target.Service.State(context)).Status == RuntimeStatus.Running;
        await Reach((saved ?? new() { Stage = LoadStage.Begun, Sha256 = source.Sha256, Database = database, Round = round, Ran = ran }) with
        {
            Ran = ran,
            // Another archive than before is another load, into a store that may be half the first.
            Stage = saved?.Sha256 == source.Sha256 ? saved.Stage : saved is null ? LoadStage.Begun : Earlier(saved.Stage, LoadStage.Loading),
            Sha256 = source.Sha256,
        });
    }

    /// <summary>A round that begins anew has the path of the one before: in its folder that one's store lies.</summary>
    static string NewRound() => Guid.NewGuid().ToString("N")[..8];

    static LoadStage Earlier(LoadStage one, LoadStage other) => one < other ? one : other;

    async Task Load()
    {
        await _outage.Begin(_at.Ran, evenIfKilled: true);
        if (_at.Stage < LoadStage.Loading)
        {
            await Keep();
            await Reach(_at with { Stage = LoadStage.Loading });
        }
        else if (_at.Kept)
            await _store.RemovePresent();
        context.Log($"loading {ByteSize.Words(source.Size)} into '{_at.Database}' of {target.Name}");
        await source.Put(_admin, _store, _at.Database);
        await _store.SetOwner(options.Owner);
        await Reach(_at with { Stage = LoadStage.Loaded });
    }

    async Task Keep()
    {
        if (options.SkipSafetyCopy)
            return;
        await context.Leave(new()
        {
            Key = SafetyKey,
            Kind = ResidueKind.SafetyCopy,
            Target = target.Name,
            What = $"what {target.Name} held before the load is in {_store.Aside}",
            Command = _store.RemoveAside,
        });
        // Said before the first move: whatever is cut off from here on, the part that was moved comes back before the server starts.
        await Reach(_at with { Kept = true });
        var kept = await _store.SetAside();
        if (!kept)
            await context.TakeBack(SafetyKey);
        context.Log(kept ? $"the present store of {target.Name} is kept in {_store.Aside}" : $"{target.Name} has no store, so there is nothing to keep");
        await Reach(_at with { Kept = kept });
    }

    /// <summary>The tool's exit code proves nothing: what the server counts does (NEO-08).</summary>
    async Task<Neo4jLoadOutputs> StartAndCheck()
    {
        await _outage.End(ran: true, context);
        using var server = await Neo4jConnection.Open(target, context);
        var counts = await GraphCounts.OfWhole(server, options.Database);
        var faults = counts.DifferencesTo(options.Counts ?? new Dictionary<string, long>()).ToList();
        if (faults.Count > 0)
            throw StepFailedException.InvalidData($"{server.Name} does not hold what the archive should: {string.Join("; ", faults)}.", "The load itself said that it went well. Choose another backup.");
        context.Log($"{server.Name} now holds {counts}");
        var outputs = new Neo4jLoadOutputs
        {
            Counts = counts.All,
            Sha256 = source.Sha256,
            Database = _at.Database,
            ServerVersion = (await server.About()).Version.Text,
            SafetyCopy = _at.Kept ? _store.Aside : null,
        };
        await Reach(_at with { Stage = LoadStage.Done, Outputs = outputs });
        return outputs;
    }

    /// <summary>Never throws: what could not be put back is logged, and stays in the residue.</summary>
    async Task PutBack(Exception cause)
    {
        using var limit = new CancellationTokenSource(PuttingBack, context.Time);
        var within = context.Until(limit.Token);
        try
        {
            await target.Service.Remove(within, _store.Staging);
            if (_at.Kept)
                await OldStore(within);
            if (_at is { Ran: true, Stage: < LoadStage.Loading })
                await new Outage(target, options.Grace, options.ReadyWithin, within).EndAtLast(ran: true, within);
            else if (!_at.Ran)
                await target.Service.Stop(within, options.Grace);
            await Reach(_at with { Stage = LoadStage.Begun, Kept = false }, within);
        }
        catch (Exception e) when (e is StepFailedException or OperationCanceledException or RunbookException)
        {
            context.Log($"neo4j '{target.Name}' could not be put back after '{cause.Message}': {e.Message}");
        }
    }

    async Task OldStore(StepContext within)
    {
        within.Log($"putting back what {target.Name} held before");
        await target.Service.Stop(within, options.Grace);
        var cutOff = _at.Stage < LoadStage.Loading;
        // Said before the first move: whatever is cut off from here on, the next attempt sets aside what it finds and removes none of it.
        await Reach(_at with { Stage = LoadStage.Begun }, within);
        await new StoreFolder(target, _at.Database, within) { Round = _at.Round }.PutBack(cutOff);
        await Reach(_at with { Kept = false }, within);
        await within.TakeBack(SafetyKey);
    }

    Task Reach(LoadProgress next, StepContext? within = null)
    {
        _at = next;
        return _at.Save(within ?? context);
    }
}
