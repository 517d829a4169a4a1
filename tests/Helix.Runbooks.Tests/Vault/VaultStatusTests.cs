using Helix.Runbooks.Steps;
using Helix.Steps.Vault;

namespace Helix.Runbooks.Tests.Vault;

/// <summary>States are told apart, and a failed question is none of them. Against the stub.</summary>
public sealed class VaultStatusTests : IDisposable
{
    readonly TestHost _host = new();
    readonly VaultStub _vault = new();

    [Fact]
    public async Task VLT_01_Active_standby_sealed_and_uninitialised_are_told_apart_on_the_stub()
    {
        _vault.Target(_host);
        Assert.Equal(VaultState.Active, (await Status()).State);
        _vault.Standby = true;
        Assert.Equal(VaultState.Standby, (await Status()).State);
        _vault.Sealed = true;
        var closed = await Status();
        Assert.Equal((VaultState.Sealed, true, 2, 3, ""), (closed.State, closed.Sealed, closed.Threshold, closed.Shares, closed.ClusterId));
        _vault.Initialised = false;
        Assert.Equal(VaultState.Uninitialised, (await Status()).State);
    }

    [Theory, InlineData(503, "<html>bad gateway</html>"), InlineData(200, "{}"), InlineData(500, "")]
    public async Task VLT_01_What_is_no_answer_of_a_Vault_is_no_state(int status, string body)
    {
        _vault.Target(_host);
        _vault.Fault = _ => (status, body);
        var e = await _host.Fails(FailureClass.Transient, new VaultStatus(), new() { Target = "vault" });
        Assert.Contains("is no Vault", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VLT_01_A_server_that_answers_too_late_is_no_state_either()
    {
        _host.Add("vault", new VaultTarget { Url = _vault.Url, Timeout = new(TimeSpan.FromMilliseconds(300)) });
        var never = new TaskCompletionSource();
        _vault.Before = _ => never.Task;
        var e = await _host.Fails(FailureClass.Transient, new VaultStatus(), new() { Target = "vault" });
        Assert.Contains("did not answer within 300ms", e.Message, StringComparison.Ordinal);
        never.SetResult();
    }

    [Fact]
    public async Task A_state_that_is_not_wanted_fails_with_what_to_do()
    {
        _vault.Target(_host);
        _vault.Sealed = true;
        var e = await _host.Fails(FailureClass.Conflict, new VaultStatus(), new() { Target = "vault", Expect = [VaultState.Active] });
        Assert.Equal("vault 'vault' is sealed, and should be active.", e.Message);
        Assert.Contains("vault.unseal", e.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_identified_by_its_cluster_and_not_at_all_while_it_is_sealed()
    {
        var target = _vault.Target(_host);
        Assert.Equal("cluster-here", await target.ReadPlace(_host.PlanContext()));
        _vault.Sealed = true;
        Assert.Null(await target.ReadPlace(_host.PlanContext()));
        Assert.Contains("sealed", await target.Check(_host.PlanContext()), StringComparison.Ordinal);
    }

    Task<VaultStatusOutputs> Status() => _host.Run(new VaultStatus(), new() { Target = "vault" });

    public void Dispose()
    {
        _vault.Dispose();
        _host.Dispose();
    }
}
