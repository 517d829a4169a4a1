using Helix.Runbooks.Steps;
using Helix.Steps.Redis;

namespace Helix.Runbooks.Tests.Redis;

public sealed class RedisConnectionTests
{
    [Fact]
    public async Task A_check_says_version_role_and_keys()
    {
        await using var server = await RedisServer.Start("correct horse");
        await server.Fill(1234);
        using var host = new TestHost();
        host.Canary("REDIS_PASSWORD", "correct horse");

        Assert.Equal("Redis 7.0.15, master, 1,234 keys", await server.Target().Check(host.Context()));
    }

    [Fact]
    public async Task RED_11_a_missing_password_is_a_failure_of_class_auth()
    {
        await using var server = await RedisServer.Start("correct horse");
        using var host = new TestHost();

        var e = await Assert.ThrowsAsync<StepFailedException>(() => (server.Target() with { Password = null }).Check(host.Context()));

        Assert.Equal(FailureClass.Auth, e.Failure);
        Assert.Contains("refused the user name or the password", e.Message);
    }

    [Fact]
    public async Task RED_11_a_wrong_password_is_named_as_such_and_never_shown()
    {
        await using var server = await RedisServer.Start("correct horse");
        using var host = new TestHost();
        host.Canary("REDIS_PASSWORD", "battery staple");

        var e = await Assert.ThrowsAsync<StepFailedException>(() => server.Target().Check(host.Context()));

        Assert.Equal(FailureClass.Auth, e.Failure);
        Assert.DoesNotContain("staple", e.ToString());
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_a_transient_failure()
    {
        using var host = new TestHost();
        var target = new RedisTarget { Name = "redis", Endpoint = $"127.0.0.1:{Ports.Free()}" };

        var e = await Assert.ThrowsAsync<StepFailedException>(() => target.Check(host.Context()));

        Assert.Equal(FailureClass.Transient, e.Failure);
        Assert.Contains("cannot be reached: Connection refused", e.Message);
        Assert.Null(await target.ReadPlace(host.Context()));
    }

    [Fact]
    public async Task A_server_that_still_loads_is_a_transient_failure_that_says_so()
    {
        await using var server = await RedisServer.Start(null, "key-load-delay 2000", "loading-process-events-interval-bytes 1024");
        await server.Fill(50_000);
        await server.ShutDown();
        using var host = new TestHost();
        System.Diagnostics.Process.Start(RedisServer.Executable, [server.ConfigFile])!.Dispose();
        await Eventually.True(() => File.Exists(server.PidFile), "the pid file");

        StepFailedException? e = null;
        await Eventually.True(async () =>
        {
            e = await Record.ExceptionAsync(() => server.Target().Check(host.Context())) as StepFailedException;
            return e?.Message.Contains("loading", StringComparison.Ordinal) == true;
        }, "the server to say that it loads");

        Assert.Equal(FailureClass.Transient, e!.Failure);
    }

    [Fact]
    public async Task Its_place_is_machine_port_folder_and_file()
    {
        await using var server = await RedisServer.Start();
        using var host = new TestHost();

        Assert.Equal($"{System.Environment.MachineName.ToLowerInvariant()}:{server.Port}{server.DataFile}", await server.Target().ReadPlace(host.Context()), ignoreCase: true);
    }

    [Fact]
    public void Ways_to_write_this_machine_have_one_address() =>
        Assert.Single(new[] { "localhost:6379", "127.0.0.1:6379", "[::1]:6379", "LOCALHOST:6379" }
            .Select(at => new RedisTarget { Name = "redis", Endpoint = at }.Address).Distinct());
}
