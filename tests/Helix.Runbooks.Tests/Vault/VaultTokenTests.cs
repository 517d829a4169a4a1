using Helix.Runbooks.Steps;
using Helix.Steps.Vault;
using Microsoft.Extensions.Time.Testing;

namespace Helix.Runbooks.Tests.Vault;

/// <summary>Tokens that run out: compared before, renewed or replaced meanwhile, named for what they are after. Against the stub.</summary>
public sealed class VaultTokenTests : IDisposable
{
    readonly FakeTimeProvider _clock = new(DateTimeOffset.Parse("2026-03-01T00:00:00Z", null));
    readonly TestHost _host;
    readonly VaultStub _vault;

    public VaultTokenTests()
    {
        _host = new() { Clock = _clock };
        _vault = new() { Clock = _clock };
        _vault.Write("secret/helix", new() { ["password"] = "x-of-the-store" });
    }

    [Fact]
    public async Task VLT_04_The_remaining_life_is_compared_with_what_a_run_may_need()
    {
        Token("short", TimeSpan.FromMinutes(10), renewable: false);
        var target = _vault.Target(_host, "short");
        var e = await Assert.ThrowsAsync<StepFailedException>(() => target.Check(_host.PlanContext()));
        Assert.Equal((FailureClass.Auth, "The token of vault 'vault' lives for 10m only, and a run may need it for 1h."), (e.Failure, e.Message));
        Assert.Contains("lives for 10m", await (target with { NeededFor = new(TimeSpan.FromMinutes(5)) }).Check(_host.PlanContext()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task VLT_04_A_token_that_can_be_renewed_is_renewed_before_it_is_judged()
    {
        Token("fresh", TimeSpan.FromMinutes(90), renewable: true);
        _clock.Advance(TimeSpan.FromMinutes(80));
        Assert.Contains("lives for 1h30m", await _vault.Target(_host, "fresh").Check(_host.PlanContext()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task VLT_04_A_token_is_renewed_during_a_step_that_outlives_it()
    {
        Token("small", TimeSpan.FromSeconds(10), renewable: true);
        await using var session = new VaultSession(_vault.Target(_host, "small"), _host.Context());
        for (var waited = 0; waited < 4; waited++)
        {
            Assert.Equal("x-of-the-store", (await KvSecret.Read(session, "secret/helix")).Field("password"));
            _clock.Advance(TimeSpan.FromSeconds(8));
        }
        Assert.Contains("POST auth/token/renew-self", _vault.Requests);
    }

    [Fact]
    public async Task VLT_04_A_token_is_renewed_by_who_drives_while_no_step_uses_it()
    {
        Token("waiting", TimeSpan.FromSeconds(10), renewable: true);
        var target = _vault.Target(_host, "waiting");
        for (var waited = 0; waited < 5; waited++)
        {
            Assert.InRange((await target.Renew(_host.PlanContext()))!.Value, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(4));
            _clock.Advance(TimeSpan.FromSeconds(4));
        }
        await using var session = new VaultSession(target, _host.Context());
        Assert.Equal("x-of-the-store", (await KvSecret.Read(session, "secret/helix")).Field("password"));
    }

    [Fact]
    public async Task VLT_04_A_login_is_repeated_when_its_token_ran_out_meanwhile()
    {
        _vault.LoginLife = TimeSpan.FromSeconds(10);
        var target = Login();
        await using (var session = new VaultSession(target, _host.Context()))
        {
            await KvSecret.Read(session, "secret/helix");
            _clock.Advance(TimeSpan.FromSeconds(20));
            await KvSecret.Read(session, "secret/helix");
        }
        Assert.Equal(2, _vault.Logins);
        Assert.DoesNotContain(_vault.Tokens.Keys, t => t == "login-2");
        _host.AssertNoCanary();
    }

    [Fact]
    public async Task VLT_04_A_token_that_ran_out_is_called_that_and_not_a_missing_right()
    {
        Token("gone", TimeSpan.FromSeconds(10), renewable: false);
        _vault.Target(_host, "gone");
        _clock.Advance(TimeSpan.FromSeconds(11));
        var e = await _host.Fails(FailureClass.Auth, new VaultRead(), new() { Target = "vault", Path = "secret/helix", Fields = ["password"] });
        Assert.Contains("has run out", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_right_is_called_that_and_not_an_old_token()
    {
        _vault.Target(_host);
        _vault.Forbidden.Add("secret/data/");
        var e = await _host.Fails(FailureClass.Auth, new VaultRead(), new() { Target = "vault", Path = "secret/helix", Fields = ["password"] });
        Assert.Contains("is good, but has no right to secret/data/helix", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_key_to_a_Vault_is_not_looked_for_in_itself()
    {
        _host.Add("vault", new VaultTarget { Url = _vault.Url, Token = new(["vault:vault/secret/helix#password"]) });
        var e = await Assert.ThrowsAsync<RunbookException>(() => _host.PlanContext().Reveal(new(["vault:vault/secret/helix#password"])));
        Assert.Contains("a secret from 'vault' is needed", e.Message, StringComparison.Ordinal);
    }

    void Token(string name, TimeSpan life, bool renewable) => _vault.Tokens[name] = new(_clock.GetUtcNow() + life, life, renewable);

    VaultTarget Login() => _host.Add("vault", new VaultTarget
    {
        Url = _vault.Url,
        AppRole = new() { RoleId = _host.Canary("ROLE", VaultStub.Padded("role")), SecretId = _host.Canary("SECRET_ID", VaultStub.Padded("secret")) },
    });

    public void Dispose()
    {
        _vault.Dispose();
        _host.Dispose();
    }
}
