using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Http;
using Helix.Runbooks.Tests.Redis;
using Helix.Steps.Metrics;

namespace Helix.Runbooks.Tests.Metrics;

public sealed class MetricCheckTests : IDisposable
{
    readonly TestHost _host = new();

    [Theory]
    [InlineData("69.9", MetricLevel.Good, null)]
    [InlineData("70", MetricLevel.Warning, "CPU is 70%; a warning begins at 70%. Add replicas.")]
    public async Task Below_critical_a_run_goes_on_and_keeps_the_warning(string value, MetricLevel level, string? warning)
    {
        var found = await _host.Run(new MetricCheck(), Printed(value));
        Assert.Equal((level, warning), (found.Level, found.Warning));
    }

    [Fact]
    public async Task A_critical_value_fails_unless_the_runbook_says_otherwise()
    {
        var e = await _host.Fails(FailureClass.InvalidData, new MetricCheck(), Printed("85.5"));
        Assert.Equal(("CPU is 85.5%; critical begins at 85%.", "Add replicas."), (e.Message, e.Hint));
        Assert.Equal(MetricLevel.Critical, (await _host.Run(new MetricCheck(), Printed("85.5") with { AtCritical = MetricReaction.Continue })).Level);
        await _host.Fails(FailureClass.InvalidData, new MetricCheck(), Printed("71") with { AtWarning = MetricReaction.Fail });
    }

    [Fact]
    public async Task Low_values_can_be_the_bad_ones()
    {
        var options = Printed("9") with { Below = true, Warning = 20, Critical = 10, AtCritical = MetricReaction.Continue };
        Assert.Equal(MetricLevel.Critical, (await _host.Run(new MetricCheck(), options)).Level);
        var e = await Assert.ThrowsAsync<RunbookException>(() => _host.Run(new MetricCheck(), options with { Below = false }));
        Assert.Contains("would come after", e.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("many"), InlineData(""), InlineData("NaN"), InlineData("12,5"), InlineData("0,85"), InlineData("1,000")]
    public async Task What_is_no_number_is_no_value(string printed) =>
        Assert.Contains("gives no number", (await _host.Fails(FailureClass.InvalidData, new MetricCheck(), Printed(printed))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_value_comes_from_one_source_and_is_compared_with_something()
    {
        await Assert.ThrowsAsync<RunbookException>(() => _host.Run(new MetricCheck(), Printed("1") with { From = new() }));
        await Assert.ThrowsAsync<RunbookException>(() => _host.Run(new MetricCheck(), Printed("1") with { Warning = null, Critical = null }));
        await Assert.ThrowsAsync<RunbookException>(() => _host.Run(new MetricCheck(), Printed("1") with { Growth = new() }));
    }

    [Fact]
    public async Task Of_several_series_of_Prometheus_the_worst_counts_and_is_named()
    {
        using var server = new HttpStub(r => new(200, r.Path.Contains("api/v1/query?query=up%7Bjob%3D%22x%22%7D", StringComparison.Ordinal)
            ? """{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"cpu","node":"a"},"value":[1,"12.5"]},{"metric":{"node":"b"},"value":[1,"88"]}]}}""" : "{}"));
        var e = await _host.Fails(FailureClass.InvalidData, new MetricCheck(), Of(new() { Prometheus = new() { Url = server.Url, Query = "up{job=\"x\"}" } }));
        Assert.Equal("CPU of node=b is 88%; critical begins at 85%.", e.Message);
    }

    [Theory]
    [InlineData(200, """{"status":"success","data":{"resultType":"vector","result":[]}}""", FailureClass.Missing)]
    [InlineData(400, """{"status":"error","errorType":"bad_data","error":"parse error"}""", FailureClass.InvalidData)]
    [InlineData(503, "down", FailureClass.Transient)]
    [InlineData(200, "<html>", FailureClass.InvalidData)]
    [InlineData(200, """{"status":"success","data":{"resultType":"scalar","result":[1,"NaN"]}}""", FailureClass.InvalidData)]
    public async Task No_data_is_never_a_good_value(int status, string body, FailureClass failure)
    {
        using var server = new HttpStub(_ => new(status, body));
        await _host.Fails(failure, new MetricCheck(), Of(new() { Prometheus = new() { Url = server.Url, Query = "up" } }));
    }

    [Fact]
    public async Task A_number_in_the_answer_of_a_server_is_found_by_its_path()
    {
        using var server = new HttpStub(_ => new(200, """{"errors":{"rate":0.4}}"""));
        Assert.Equal(0.4, (await _host.Run(new MetricCheck(), Of(new() { Http = new() { Url = server.Url, Value = "$.errors.rate" } }))).Value);
        await _host.Fails(FailureClass.InvalidData, new MetricCheck(), Of(new() { Http = new() { Url = server.Url, Value = "$.errors.count" } }));
    }

    [Fact]
    public async Task Disk_and_memory_and_processor_of_this_machine_are_percentages()
    {
        foreach (var source in new MetricSource[] { new() { Disk = new() { Path = _host.Folder } }, new() { Host = new() { Part = HostPart.Memory } }, new() { Host = new() { Part = HostPart.Cpu, Over = new(TimeSpan.FromMilliseconds(50)) } } })
            Assert.InRange((await _host.Run(new MetricCheck(), Of(source) with { AtCritical = MetricReaction.Continue })).Value, 0, 100);
    }

    [Fact]
    public void The_figures_of_the_kernel_are_read_as_top_reads_them()
    {
        Assert.Equal(75, HostMetric.Memory(["MemTotal:       1000 kB", "MemFree: 10 kB", "MemAvailable:    250 kB"]));
        Assert.Equal(25, HostMetric.Cpu("cpu  100 0 0 1000 0 0 0 0 0 0", "cpu  120 0 5 1070 5 0 0 0 0 0"));
    }

    [Fact]
    public async Task A_number_that_a_query_of_Neo4j_gives_is_measured()
    {
        using var server = new HttpStub(r => r.Path == "/" ? new(200, """{"neo4j_version":"5.25.1","neo4j_edition":"community","transaction":"http://x/db/{databaseName}/tx"}""")
            : new(200, """{"results":[{"columns":["count(n)"],"data":[{"row":[420]}]}],"errors":[]}"""));
        _host.Add("graph", new Helix.Steps.Neo4j.Neo4jTarget { Url = server.Url });
        var source = new MetricSource { Cypher = new() { Server = "graph", Query = "MATCH (n:Persona) RETURN count(n)" } };
        Assert.Equal(420, (await _host.Run(new MetricCheck(), Of(source) with { AtCritical = MetricReaction.Continue })).Value);
        await Assert.ThrowsAsync<RunbookException>(() => _host.Run(new MetricCheck(), Of(new() { Cypher = source.Cypher with { Query = "MATCH (n) DELETE n" } })));
    }

    [Fact]
    public async Task A_field_of_Redis_can_be_shown_as_part_of_another()
    {
        Assert.SkipUnless(File.Exists(RedisServer.Executable), "No redis-server on this machine.");
        await using var redis = await RedisServer.Start(null, "maxmemory 100mb");
        using var host = redis.Host();
        var part = await host.Run(new MetricCheck(), Of(new() { Redis = new() { Server = "redis", Field = "used_memory", Of = "maxmemory" } }));
        Assert.InRange(part.Value, 0.1, 50);
        Assert.Equal(0, (await host.Run(new MetricCheck(), Of(new() { Redis = new() { Server = "redis", Field = "loading" } }))).Value);
    }

    static MetricCheckOptions Of(MetricSource source) => new() { Name = "CPU", From = source, Warning = 70, Critical = 85, Unit = "%", Action = "Add replicas." };
    static MetricCheckOptions Printed(string value) => Of(new() { Command = new() { Argv = ["echo", value] } });

    public void Dispose() => _host.Dispose();
}
