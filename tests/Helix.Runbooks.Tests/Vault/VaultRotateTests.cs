using Helix.Runbooks.Steps;
using Helix.Steps.Vault;

namespace Helix.Runbooks.Tests.Vault;

/// <summary>New values for secrets, and every place at which that can break off. Against the stub.</summary>
public sealed class VaultRotateTests : IDisposable
{
    readonly TestHost _host = new();
    readonly VaultStub _vault = new();

    public VaultRotateTests()
    {
        _vault.Target(_host);
        _vault.Write("secret/helix", new() { ["redis"] = "canary-old-redis", ["neo4j"] = "canary-old-neo4j", ["other"] = "stays" });
        _vault.Write("old/helix", new() { ["redis"] = "x" });
    }

    [Fact]
    public async Task The_new_value_reaches_the_dependant_and_the_old_one_is_destroyed_last()
    {
        var done = await Rotate(One("redis") with { Tell = Sh("""printf %s "$HELIX_OLD_VALUE>$HELIX_NEW_VALUE" >told; echo "now $HELIX_NEW_VALUE" """), Check = Sh("""grep -q "$HELIX_NEW_VALUE" told""") }, One("neo4j"));
        var told = await File.ReadAllTextAsync(Path.Combine(_host.Folder, "told"));
        Assert.Equal($"canary-old-redis>{_vault.Value("secret/helix", "redis")}", told);
        Assert.Equal("stays", _vault.Value("secret/helix", "other"));
        Assert.Equal(3, _vault.Versions("secret/helix"));
        Assert.True(_vault.IsDestroyed("secret/helix", 1) && _vault.IsDestroyed("secret/helix", 2) && done.OldDestroyed);
        Assert.Equal(3, done.Versions["secret/helix#neo4j"]);
        Assert.DoesNotContain(_host.Logged, l => l.Contains("canary", StringComparison.Ordinal) || l.Contains(told[^32..], StringComparison.Ordinal));
        Assert.Equal(2, _vault.Requests.Skip(_vault.Requests.FindIndex(r => r.Contains("/destroy/", StringComparison.Ordinal))).Count(r => r.Contains("/destroy/", StringComparison.Ordinal)));
        Assert.DoesNotContain(_vault.Requests.Skip(_vault.Requests.FindIndex(r => r.Contains("/destroy/", StringComparison.Ordinal))), r => r.StartsWith("POST secret/data", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_value_that_a_command_prints_is_nowhere_else()
    {
        await Rotate(One("redis") with { Generate = null, Command = Sh("echo printed-by-a-command-$HELIX_OLD_VALUE") });
        Assert.Equal("printed-by-a-command-canary-old-redis", _vault.Value("secret/helix", "redis"));
        Assert.DoesNotContain(_host.Logged, l => l.Contains("printed-by", StringComparison.Ordinal));
    }

    [Fact]
    public async Task When_the_dependant_does_not_take_it_the_old_value_is_still_there_and_a_second_run_goes_on()
    {
        var secret = One("redis") with { Tell = Sh("echo once >>told"), Check = Sh("test -e ready") };
        var e = await _host.Fails(FailureClass.Transient, new VaultRotate(), Of(secret));
        Assert.Contains("does not do", e.Message, StringComparison.Ordinal);
        Assert.Contains("vault kv rollback -version=1 secret/helix", e.Hint, StringComparison.Ordinal);
        Assert.False(_vault.IsDestroyed("secret/helix", 1));

        var value = _vault.Value("secret/helix", "redis");
        await File.WriteAllTextAsync(Path.Combine(_host.Folder, "ready"), "");
        await Rotate(secret);
        Assert.Equal((2, value), (_vault.Versions("secret/helix"), _vault.Value("secret/helix", "redis")));
        Assert.Equal("once\n", await File.ReadAllTextAsync(Path.Combine(_host.Folder, "told")));
        Assert.True(_vault.IsDestroyed("secret/helix", 1));
    }

    [Fact]
    public async Task A_crash_between_the_write_and_its_record_makes_no_second_new_value()
    {
        _host.OnSave = (key, _) =>
        {
            if (key.EndsWith("told", StringComparison.Ordinal))
                throw new OperationCanceledException("the engine dies here");
        };
        await Assert.ThrowsAsync<OperationCanceledException>(() => Rotate(One("redis")));
        var value = _vault.Value("secret/helix", "redis");
        _host.OnSave = null;
        await Rotate(One("redis"));
        Assert.Equal((2, value), (_vault.Versions("secret/helix"), _vault.Value("secret/helix", "redis")));
    }

    [Fact]
    public async Task Somebody_elses_write_at_the_same_time_is_not_overwritten()
    {
        var secret = One("redis") with { Generate = null, Command = Sh("echo a-new-value-of-ours") };
        var wrote = false;
        _vault.Fault = path =>
        {
            if (path == "secret/data/helix" && !wrote && _vault.Requests.Count(r => r.EndsWith(path, StringComparison.Ordinal)) == 2)
                (wrote, _) = (true, Write("canary-of-somebody-else"));
            return null;
        };
        var e = await _host.Fails(FailureClass.Conflict, new VaultRotate(), Of(secret));
        Assert.Contains("Somebody else wrote", e.Message, StringComparison.Ordinal);
        Assert.Equal("canary-of-somebody-else", _vault.Value("secret/helix", "redis"));
    }

    [Fact]
    public async Task Somebody_elses_write_of_another_field_is_not_taken_for_the_new_value()
    {
        var wrote = false;
        _vault.Fault = path =>
        {
            if (path == "secret/data/helix" && !wrote && _vault.Requests.Count(r => r.EndsWith(path, StringComparison.Ordinal)) == 2)
                (wrote, _) = (true, Write("canary-old-redis"));
            return null;
        };
        await _host.Fails(FailureClass.Conflict, new VaultRotate(), Of(One("redis")));
        var done = await Rotate(One("redis"));
        Assert.Equal(3, done.Versions["secret/helix#redis"]);
        Assert.NotEqual("canary-old-redis", _vault.Value("secret/helix", "redis"));
        // The copy of the old value goes with it.
        Assert.True(_vault.IsDestroyed("secret/helix", 1) && _vault.IsDestroyed("secret/helix", 2));
    }

    [Fact]
    public async Task After_the_way_back_that_the_step_names_a_second_run_makes_a_new_value_and_tells_it()
    {
        var secret = One("redis") with { Tell = Sh("""echo "$HELIX_OLD_VALUE>$HELIX_NEW_VALUE" >>told"""), Check = Sh("test -e ready") };
        await _host.Fails(FailureClass.Transient, new VaultRotate(), Of(secret));
        Write("canary-old-redis");
        await File.WriteAllTextAsync(Path.Combine(_host.Folder, "ready"), "");
        var done = await Rotate(secret);
        var value = _vault.Value("secret/helix", "redis");
        Assert.Equal((4, 4), (done.Versions["secret/helix#redis"], _vault.Versions("secret/helix")));
        Assert.Equal($"canary-old-redis>{value}", (await File.ReadAllLinesAsync(Path.Combine(_host.Folder, "told")))[^1]);
        Assert.Equal([true, false, true], new[] { 1, 2, 3 }.Select(v => _vault.IsDestroyed("secret/helix", v)));
    }

    [Fact]
    public async Task A_command_that_prints_the_old_value_again_rotates_nothing()
    {
        var secret = One("redis") with { Generate = null, Command = Sh("echo $HELIX_OLD_VALUE"), Tell = Sh("touch told") };
        Assert.Contains("holds its old value in version 2 again", (await _host.Fails(FailureClass.Conflict, new VaultRotate(), Of(secret))).Message, StringComparison.Ordinal);
        Assert.False(_vault.IsDestroyed("secret/helix", 1) || File.Exists(Path.Combine(_host.Folder, "told")));
    }

    [Fact]
    public async Task A_store_that_keeps_no_old_version_is_refused() =>
        Assert.Contains("keeps no old version", (await _host.Fails(FailureClass.Conflict, new VaultRotate(), Of(One("redis") with { Path = "old/helix" }))).Message, StringComparison.Ordinal);

    bool Write(string value)
    {
        _vault.Write("secret/helix", new() { ["redis"] = value });
        return true;
    }

    static RotatedSecret One(string field) => new() { Path = "secret/helix", Field = field, Generate = new() };
    static string[] Sh(string script) => ["sh", "-c", script];
    static VaultRotateOptions Of(params RotatedSecret[] secrets) => new() { Target = "vault", Secrets = secrets };
    Task<VaultRotateOutputs> Rotate(params RotatedSecret[] secrets) => _host.Run(new VaultRotate(), Of(secrets));

    public void Dispose()
    {
        _vault.Dispose();
        _host.Dispose();
    }
}
