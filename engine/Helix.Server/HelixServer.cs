using System.Net;
using System.Security.Cryptography.X509Certificates;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Server.Api;
using Helix.Server.Pages;
using Helix.Server.Telemetry;
using Helix.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Helix.Server;

/// <summary>The server of a team: pages, and the driving of the runs that are started there, in one process.</summary>
public sealed class HelixServer : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    readonly Site _site;
    readonly WebApplication _app;
    IAsyncDisposable? _otlp;

    HelixServer(Site site, WebApplication app) => (_site, _app) = (site, app);

    public Uri Address => _site.Address;

    internal Site Site => _site;
    internal IEnumerable<Microsoft.AspNetCore.Http.Endpoint> Endpoints => ((Microsoft.AspNetCore.Routing.IEndpointRouteBuilder)_app).DataSources.SelectMany(s => s.Endpoints);

    /// <param name="say">Hears what whoever started the server should know.</param>
    /// <exception cref="RunbookException">It would listen where it must not, or a folder or file is not there.</exception>
    public static async Task<HelixServer> Start(ServerSettings settings, StepCatalog catalog, TimeProvider time, Action<string> say)
    {
        settings.Check();
        var site = new Site(settings, catalog, time, say);
        var app = Build(site);
        try
        {
            await app.StartAsync();
        }
        catch (IOException e)
        {
            site.Dispose();
            throw new RunbookException($"{settings.Listen} cannot be listened on: {e.Message}", "Is another server running there? --listen takes another port.");
        }
        site.Address = settings.PublicUrl ?? new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        await Join(site, app);
        site.Pulse.Start();
        var server = new HelixServer(site, app) { _otlp = Otlp.StartIfAsked(site) };
        site.Courier.Start();
        site.Follower.Start();
        site.Keeper.Start();
        await site.Timetable.Start();
        Greet(site);
        return server;
    }

    static async Task Join(Site site, WebApplication app)
    {
        try
        {
            site.Membership.Start();
        }
        catch
        {
            await app.StopAsync();
            site.Dispose();
            throw;
        }
    }

    static WebApplication Build(Site site)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(o => Listen(o, site.Settings));
        if (site.Settings.UsesTls)
            builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Services.AddRouting();
        builder.Services.AddApi();
        builder.Services.AddSingleton(new Door(site));
        var app = builder.Build();
        var door = app.Services.GetRequiredService<Door>();
        var faults = new Faults(site);
        app.Use((http, next) => faults.Guard(http, () => next(http)));
        app.UseRouting();
        app.Use((http, next) => door.Pass(http, () => next(http)));
        app.MapAssets();
        app.MapHealth(site);
        app.MapLogin(site);
        app.MapRuns(site);
        app.MapAnswers(site);
        app.MapRunbooks(site);
        app.MapReady(site);
        app.MapNodes(site);
        app.MapSchedules(site);
        app.MapTriggers(site);
        app.MapHooks(site);
        app.MapRecord(site);
        app.MapMessages(site);
        app.MapAccounts(site);
        app.MapApi(site);
        app.MapFallback(_ => throw new NotThereException("There is no such page."));
        return app;
    }

    static void Listen(KestrelServerOptions options, ServerSettings settings)
    {
        options.AddServerHeader = false;
        options.Limits.MaxRequestBodySize = 1 << 20;
        options.Listen(settings.Listen, listen =>
        {
            if (settings.UsesTls)
                listen.UseHttps(X509Certificate2.CreateFromPemFile(settings.Certificate!, settings.CertificateKey));
        });
    }

    static void Greet(Site site)
    {
        site.Say($"Helix serves {site.Library.Folder} at {site.Address}");
        if (site.Settings.Insecure && !site.Settings.UsesTls && !IPAddress.IsLoopback(site.Settings.Listen.Address))
            site.Say("It listens beyond this machine without TLS: everybody on the way can read passwords and act with sessions that they see.");
        if (site.Accounts.IsEmpty || site.Settings.NewAdministrator)
            site.Say($"Make the {(site.Accounts.IsEmpty ? "first" : "new")} administrator here, once, within the next hour: {new Uri(site.Address, "/setup/" + Setup.NewTicket(site))}");
    }

    /// <summary>Interrupts what runs here, so that it is recorded as suspended and the next server goes on with it; then closes the pages.</summary>
    public async Task Stop()
    {
        await _site.Timetable.DisposeAsync();
        await _site.Drivers.Stop(Patience);
        await _site.Keeper.DisposeAsync();
        await _site.Membership.DisposeAsync();
        await _site.Follower.DisposeAsync();
        await _site.Courier.DisposeAsync();
        if (_otlp is not null)
            await _otlp.DisposeAsync();
        await _site.Pulse.DisposeAsync();
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(2), _site.Time);
        await _app.StopAsync(soon.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        await _app.DisposeAsync();
        _site.Dispose();
    }
}
