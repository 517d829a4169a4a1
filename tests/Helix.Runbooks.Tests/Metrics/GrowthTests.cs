using Helix.Runbooks.Steps;
using Helix.Steps.Backups;
using Helix.Steps.Metrics;
using Microsoft.Extensions.Time.Testing;

namespace Helix.Runbooks.Tests.Metrics;

/// <summary>Growth is read from the manifests that every backup has.</summary>
public sealed class GrowthTests : IDisposable
{
    static readonly DateTimeOffset Today = new(2026, 7, 1, 0, 0, 0, TimeSpan.Zero);

    readonly TestHost _host = new() { Clock = new FakeTimeProvider(Today) };

    public GrowthTests() => _host.Add("backups", new DirectoryTarget { Path = _host.Folder });

    [Fact]
    public async Task The_day_on_which_a_limit_will_be_reached_is_named()
    {
        for (var day = -20; day <= 0; day++)
            Backup(day, 2000 + (10 * day));
        var found = await _host.Run(new MetricCheck(), Personas(new() { Limit = 2300 }));
        Assert.Equal((2000, 10, Today.AddDays(30)), (found.Value, Math.Round(found.PerDay!.Value, 6), found.LimitReachedAt));
        Assert.Equal("Personas grows by 10 a day and reaches its limit of 2,300 on 2026-07-31.", found.Warning);
        Assert.Null((await _host.Run(new MetricCheck(), Personas(new() { Limit = 2300, Horizon = new(TimeSpan.FromDays(7)) }))).Warning);
    }

    [Fact]
    public async Task A_limit_that_is_passed_is_a_warning_whatever_the_growth()
    {
        Backup(0, 400);
        Assert.Equal("Personas has reached its limit of 400.", (await _host.Run(new MetricCheck(), Personas(new() { Limit = 400 }))).Warning);
    }

    [Fact]
    public async Task What_shrinks_reaches_no_limit()
    {
        Backup(-10, 500);
        Backup(0, 400);
        var found = await _host.Run(new MetricCheck(), Personas(new() { Limit = 1000 }));
        Assert.Equal((-10.0, null, null), (found.PerDay, found.LimitReachedAt, found.Warning));
    }

    [Theory, InlineData(149, null), InlineData(151, "Personas is 151, and 125 was planned for today.")]
    public async Task Growth_is_compared_with_the_plan_between_whose_days_a_straight_line_runs(long now, string? warning)
    {
        Backup(0, now);
        var found = await _host.Run(new MetricCheck(), Personas(new() { Plan = [new() { On = Today.AddDays(-90), Value = 50 }, new() { On = Today.AddDays(90), Value = 200 }] }));
        Assert.Equal((125, warning), (found.Planned, found.Warning));
    }

    [Fact]
    public async Task A_count_that_no_manifest_holds_is_no_zero()
    {
        Backup(0, 1);
        var e = await _host.Fails(FailureClass.Missing, new MetricCheck(), Personas(new()) with { From = new() { Backups = new() { Store = "backups", Prefix = "neo4j/", Measure = BackupMeasure.Count, Count = "Persona" } } });
        Assert.Equal("Counted: personas.", e.Hint);
    }

    [Fact]
    public async Task Age_and_sum_of_the_backups_are_measured_too()
    {
        Backup(-2, 1);
        Backup(-1, 1);
        Assert.Equal(24, (await Measured(BackupMeasure.Age)).Value);
        Assert.Equal(6, (await Measured(BackupMeasure.Total)).Value);
        Assert.Equal(3, (await Measured(BackupMeasure.Stored)).Value);
    }

    Task<MetricCheckOutputs> Measured(BackupMeasure what) => _host.Run(new MetricCheck(), new()
    {
        Name = "backups",
        From = new() { Backups = new() { Store = "backups", Prefix = "neo4j/", Measure = what } },
        Warning = 1000,
    });

    static MetricCheckOptions Personas(GrowthOptions growth) => new()
    {
        Name = "Personas",
        From = new() { Backups = new() { Store = "backups", Prefix = "neo4j/", Measure = BackupMeasure.Count, Count = "personas" } },
        Growth = growth,
    };

    void Backup(int day, long personas)
    {
        var key = $"neo4j/day{day}";
        var manifest = new BackupManifest
        {
            Key = key,
            Kind = "neo4j.dump",
            RecoveryPoint = Today.AddDays(day),
            MadeAt = Today.AddDays(day),
            Content = new(3, new string('0', 64)),
            Stored = new(3, new string('0', 64)),
            Counts = new Dictionary<string, long> { ["personas"] = personas },
        };
        Directory.CreateDirectory(Path.Combine(_host.Folder, "neo4j"));
        File.WriteAllText(Path.Combine(_host.Folder, key), "abc");
        File.WriteAllBytes(Path.Combine(_host.Folder, BackupKey.Manifest(key)), manifest.ToBytes());
    }

    public void Dispose() => _host.Dispose();
}
