using System.Reflection;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;

namespace Helix.Cli;

/// <summary>What commands share. Everything is made when it is first asked for: <c>--version</c> needs nothing, <c>validate</c> no store.</summary>
sealed class Session(Terminal terminal, TimeProvider time) : IDisposable
{
    JournalStore? _store;
    StepCatalog? _catalog;
    Engine? _engine;

    public Terminal Terminal { get; } = terminal;
    public TimeProvider Time { get; } = time;

    /// <summary>As given by <c>--store</c>.</summary>
    public string? StoreGiven { get; set; }

    /// <summary>The server on which commands work, as given by <c>--server</c>; null: this machine's store.</summary>
    public string? Server { get; set; } = Environment.GetEnvironmentVariable("HELIX_SERVER") is { Length: > 0 } url ? url : null;

    /// <summary>Where a run goes on when the disk of the store is lost.</summary>
    public string? SecondStore { get; set; } = Environment.GetEnvironmentVariable("HELIX_SECOND_STORE") is { Length: > 0 } path ? path : null;

    /// <summary>What this machine has, for runbooks that need it.</summary>
    public IReadOnlyDictionary<string, string> Labels => field ??= NodeLabels.Parse((Environment.GetEnvironmentVariable("HELIX_LABELS") ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    /// <summary>How long a shared store may be away before another driver may take a run. Null: as long as usual.</summary>
    public TimeSpan? LeaseExpires { get; init; }

    public Person Operator => field ??= Account.Operator();
    public StepCatalog Catalog => _catalog ??= new StepCatalog(Assembly.Load("Helix.Steps"));
    public JournalStore Store => _store ??= OpenStore();
    public Engine Engine => _engine ??= NewEngine(Store);
    public string StorePath => field ??= Named(StoreGiven ?? FromEnvironment() ?? InHome());

    /// <summary>For files of runs under way: beside the store's file; of a shared store it is this machine's own.</summary>
    public string DataFolder
    {
        get
        {
            var folder = StorePlace.IsShared(StorePath) ? Path.GetFullPath(OwnFolder() ?? Path.GetDirectoryName(InHome())!) : Path.GetDirectoryName(StorePath)!;
            if (!Directory.Exists(folder))
                Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return folder;
        }
    }

    public Files Files => field ??= new Files(this);

    /// <summary>An engine on a connection of its own, for answers given while another one drives.</summary>
    public Engine NewEngine(JournalStore store)
    {
        var settings = new EngineSettings { DataFolder = DataFolder, SecondStore = SecondStore, Labels = Labels };
        return new(Catalog, store, Time, LeaseExpires is { } expires ? settings with { LeaseExpires = expires } : settings);
    }

    public JournalStore OpenStore()
    {
        _ = DataFolder;
        return JournalStore.Open(StorePath, Time);
    }

    string Named(string place) => !StorePlace.IsShared(place) ? Path.GetFullPath(place) : SecondStore is null ? place
        : throw new RunbookException("A store that several machines share has no second store.", "Leave $HELIX_SECOND_STORE out: another machine goes on with the run, on the same store.");

    public void Dispose() => _store?.Dispose();

    static string? FromEnvironment() => Environment.GetEnvironmentVariable("HELIX_STORE") is { Length: > 0 } path ? path : null;

    static string? OwnFolder() => Environment.GetEnvironmentVariable("HELIX_DATA") is { Length: > 0 } path ? path : null;

    static string InHome()
    {
        var data = Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } xdg
            ? xdg
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "share");
        return Path.Combine(data, "helix", "helix.db");
    }
}
