using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Server.Driving;
using Helix.Server.Live;
using Helix.Server.Messages;
using Helix.Server.Ready;
using Helix.Server.Schedules;
using Helix.Server.SignOns;
using Helix.Server.Telemetry;
using Helix.Server.Triggers;
using Helix.Server.Web;

namespace Helix.Server;

/// <summary>The parts of a server, made once; handlers take what they need from it.</summary>
sealed class Site : IDisposable
{
    public Site(ServerSettings settings, StepCatalog catalog, TimeProvider time, Action<string> say)
    {
        (Settings, Catalog, Time, Say) = (settings, catalog, time, say);
        Store = JournalStore.Open(settings.StorePath, time);
        Accounts = new AccountStore(settings.AccountsPath, time, settings.PasswordRounds) { SignOn = settings.SignOn };
        Provider = settings.SignOn is { } signOn ? new Provider(signOn, time, settings.Patience) : null;
        Throttle = new Throttle(Accounts);
        Library = new Library(settings.Runbooks, catalog);
        Pulse = new Pulse(Store, time, Say);
        Drivers = new Drivers(this);
        Live = new LiveRuns(this);
        Keeper = new Keeper(this);
        Membership = new Membership(this);
        Outbox = new Outbox(this);
        Courier = new Courier(this);
        News = new RunNews(this);
        ScheduleNews = new ScheduleNews(this);
        Follower = new Follower(this);
        Timetable = new Timetable(this);
        Triggers = new TriggerDesk(this);
        HookSecrets = new SecretSources(new Masker()) { BaseDirectory = Library.Folder };
        Readiness = new Readiness(this);
    }

    public ServerSettings Settings { get; }
    public StepCatalog Catalog { get; }
    public TimeProvider Time { get; }

    /// <summary>A line for whoever started the server.</summary>
    public Action<string> Say { get; }
    public JournalStore Store { get; }
    public AccountStore Accounts { get; }
    public Library Library { get; }

    /// <summary>Null: people log in with passwords only.</summary>
    public Provider? Provider { get; }
    public Pulse Pulse { get; }
    public Drivers Drivers { get; }
    public LiveRuns Live { get; }
    public Keeper Keeper { get; }
    public Membership Membership { get; }
    public Outbox Outbox { get; }
    public Courier Courier { get; }
    public RunNews News { get; }
    public ScheduleNews ScheduleNews { get; }
    public Follower Follower { get; }
    public Timetable Timetable { get; }
    public TriggerDesk Triggers { get; }
    public SecretSources HookSecrets { get; }
    public HookPace HookPace { get; } = new();
    public Readiness Readiness { get; }
    public RunTelemetry Telemetry { get; } = new();
    public Throttle Throttle { get; }

    /// <summary>Where people reach it; known once it listens.</summary>
    public Uri Address { get; set; } = new("http://localhost/");

    /// <summary>An engine of its own for each run that is driven: what it remembers between start and drive is of one run only.</summary>
    public Engine NewEngine() => new(Catalog, Store, Time, new EngineSettings { DataFolder = Settings.DataFolder, SecondStore = Settings.SecondStore, Labels = Settings.Labels });

    public void Dispose()
    {
        Drivers.Dispose();
        Provider?.Dispose();
        Triggers.Dispose();
        Telemetry.Dispose();
        Accounts.Dispose();
        Store.Dispose();
    }
}
