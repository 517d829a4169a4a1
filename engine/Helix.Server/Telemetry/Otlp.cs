using System.Diagnostics.Metrics;
using System.Globalization;
using Helix.Runbooks.Journal;
using Helix.Server.Live;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Helix.Server.Telemetry;

/// <summary>Sends traces and figures over OTLP, as the standard variables say. Only <see cref="StartIfAsked"/> is called where they are not set, and nothing of OpenTelemetry is loaded.</summary>
sealed class Otlp : IAsyncDisposable
{
    const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    static readonly TimeSpan Fresh = TimeSpan.FromSeconds(10);

    /// <summary>At the end: what is not taken by then is lost.</summary>
    const int PatienceMilliseconds = 2000;

    readonly Site _site;
    readonly CancellationTokenSource _stop = new();
    readonly Complaint _fault;
    readonly TracerProvider? _traces;
    readonly MeterProvider? _figures;
    Dictionary<string, Figure> _last = [];
    Task _loop = Task.CompletedTask;

    /// <summary>Null: nobody asked for it.</summary>
    public static IAsyncDisposable? StartIfAsked(Site site) => Asked("TRACES") || Asked("METRICS") ? Start(site) : null;

    static bool Asked(string signal) => (Variable(Endpoint) ?? Variable($"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")) is not null
        && Variable("OTEL_SDK_DISABLED")?.Equals("true", StringComparison.OrdinalIgnoreCase) != true && Variable($"OTEL_{signal}_EXPORTER") is null or "otlp";

    static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    static Otlp Start(Site site) => new(site);

    Otlp(Site site)
    {
        (_site, _fault) = (site, new Complaint(site.Say));
        if (Asked("TRACES"))
            _traces = Sdk.CreateTracerProviderBuilder().ConfigureResource(Describe).AddSource(Tracer.Name).AddOtlpExporter().Build();
        if (!Asked("METRICS"))
            return;
        _figures = Sdk.CreateMeterProviderBuilder().ConfigureResource(Describe).AddMeter(Tracer.Name).AddOtlpExporter().Build();
        _loop = Task.Run(Loop);
    }

    static void Describe(ResourceBuilder resource)
    {
        var own = DriverIdentity.Current;
        resource.AddService("helix", serviceVersion: typeof(Otlp).Assembly.GetName().Version!.ToString(3), serviceInstanceId: string.Create(CultureInfo.InvariantCulture, $"{own.Host}/{own.Pid}"))
            .AddEnvironmentVariableDetector();
    }

    /// <summary>Figures take a moment to find; who sends them gets those that were found last.</summary>
    async Task Loop()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var figures = await Figures.Of(_site, _ => true, _stop.Token);
                var added = figures.Where(f => !_last.ContainsKey(f.Name)).ToList();
                _last = figures.ToDictionary(f => f.Name);
                _fault.IsOver();
                foreach (var figure in added)
                    _site.Telemetry.Meter.CreateObservableGauge(figure.Name, () => Measurements(figure.Name), description: figure.Help);
            }
            catch (Exception e) when (e is StoreLostException or OperationCanceledException)
            {
                // The last ones stand until the store is back.
            }
            catch (Exception e)
            {
                _fault.Of($"Figures cannot be found: {e.Message}");
            }
            await Task.WhenAny(Task.Delay(Fresh, _site.Time, _stop.Token));
        }
    }

    IEnumerable<Measurement<double>> Measurements(string name) =>
        _last[name].Samples.Select(s => new Measurement<double>(s.Value, s.Labels.Select(l => KeyValuePair.Create(l.Key, (object?)l.Value))));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        await Task.WhenAll(Task.Run(() => _traces?.Shutdown(PatienceMilliseconds)), Task.Run(() => _figures?.Shutdown(PatienceMilliseconds)));
        _traces?.Dispose();
        _figures?.Dispose();
        _stop.Dispose();
    }
}
