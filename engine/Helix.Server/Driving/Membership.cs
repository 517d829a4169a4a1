using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Server.Live;

namespace Helix.Server.Driving;

/// <summary>This server as one of the nodes of its store: says that it is there, and hears when it shall give its work away.</summary>
sealed class Membership(Site site) : IAsyncDisposable
{
    /// <summary>In the record of a run that was let go because its node is drained: another node goes on with it.</summary>
    public const string Drained = "its node is drained";

    static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    // Each word of it is a write, which wakes up whoever waits for something new.
    static readonly TimeSpan Appears = TimeSpan.FromSeconds(4);

    readonly CancellationTokenSource _stop = new();
    readonly Complaint _fault = new(site.Say);
    Node? _self;
    Task _loop = Task.CompletedTask;

    public string Name => site.Settings.Node ?? Environment.MachineName;
    public IReadOnlyDictionary<string, string> Labels => site.Settings.Labels;

    /// <summary>It takes nothing new, and gives away what it drives after the running steps.</summary>
    public bool Drains { get; private set; }

    public void Start()
    {
        _self = new Node { Name = Name, Process = DriverIdentity.Current, Address = site.Address.ToString(), Labels = Labels };
        site.Store.Join(_self);
        _loop = Task.Run(Loop);
    }

    /// <summary>Null when a run with these needs may be driven here; else why not, as its record says it.</summary>
    public string? Refuses(IReadOnlyDictionary<string, string> needs) =>
        NodeLabels.Missing(Labels, needs) is { } missing ? $"{WaitsForNode} with {missing}" : Drains ? Drained : null;

    /// <summary>A run was let go for another node to go on with it.</summary>
    public static bool IsHandedOn(string? suspendedBecause) =>
        suspendedBecause is Drained || suspendedBecause?.StartsWith(WaitsForNode, StringComparison.Ordinal) == true;

    const string WaitsForNode = "waits for a node";

    /// <summary>Of another node that drives a run, as far as it is known.</summary>
    public Node? Of(Driver driver) => site.Store.Nodes().FirstOrDefault(n => n.Process == driver);

    async Task Loop()
    {
        var appeared = site.Time.GetTimestamp();
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (site.Time.GetElapsedTime(appeared) >= Appears)
                {
                    site.Store.Appear(_self!);
                    appeared = site.Time.GetTimestamp();
                }
                if (site.Store.Find(_self!) is not { } now)
                    site.Store.Join(_self!);
                else if (now.DrainedBy is not null != Drains)
                {
                    Drains = now.DrainedBy is not null;
                    site.Say(Drains ? $"{now.DrainedBy} drains this node: what it drives is given away after the running steps." : "This node takes work again.");
                    site.Keeper.Look();
                }
            }
            catch (Exception e) when (e is StoreLostException or Helix.Runbooks.Steps.RunbookException)
            {
                // It is not seen meanwhile; the runs have their own word with the store.
            }
            catch (Exception e)
            {
                _fault.Of($"This node cannot be seen by the others: {e.Message}");
            }
            await Task.WhenAny(Task.Delay(Look, site.Time, _stop.Token));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
        try
        {
            if (_self is not null)
                site.Store.Leave(_self);
        }
        catch (StoreLostException)
        {
            // Nobody hears it.
        }
    }
}
