using Helix.Runbooks.Model.SignOns;
using Helix.Runbooks.Tests.Cli;

namespace Helix.Runbooks.Tests.Schedules;

/// <summary>The file for signing on, as `helix validate` sees it.</summary>
public sealed class SignOnReaderTests : IDisposable
{
    const string Good = """
        apiVersion: helix.runbooks/v1
        name: sign-on
        issuer: https://login.example.com/realms/ops
        clientId: helix
        clientSecret: env:HELIX_OIDC_SECRET
        roles: { sre: ["operator:*"], dba: ["approver:production"] }
        approvers: { dba: [dba] }
        """;

    readonly HelixHere _helix = new();

    [Fact]
    public async Task A_good_file_is_read_with_its_defaults()
    {
        var path = _helix.Write("sign-on.yaml", Good);
        Assert.Equal(0, await _helix.Run("validate", path));
        var read = new SignOnReader().ReadFile(path).Value!;
        Assert.Equal(["openid", "profile"], read.Scopes);
        Assert.Equal("Sign on through login.example.com", read.Button);
        Assert.False(read.SameNames);
    }

    [Theory]
    [InlineData("issuer: https://login.example.com/realms/ops", "issuer: http://login.example.com", "3:9", "no address that begins with https://")]
    [InlineData("env:HELIX_OIDC_SECRET", "hunter2", "5:15", "is no reference")]
    [InlineData("env:HELIX_OIDC_SECRET", "vault:v/a#b", "5:15", "Vault cannot be asked")]
    [InlineData("operator:*", "boss:*", "6:16", "no role on an environment")]
    [InlineData("dba: [dba]", "dba: [DBA-1]", "7:20", "cannot be the name of a group")]
    [InlineData("clientId: helix", "clientId: helix\nmapping: x", "5:1", "has no 'mapping'")]
    public async Task A_wrong_file_is_told_by_its_place(string text, string wrong, string place, string message)
    {
        var path = _helix.Write("sign-on.yaml", Good.Replace(text, wrong, StringComparison.Ordinal));
        Assert.Equal(2, await _helix.Run("validate", path));
        Assert.Contains($"sign-on.yaml:{place}", _helix.Out, StringComparison.Ordinal);
        Assert.Contains(message, _helix.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", _helix.Out, StringComparison.Ordinal);
    }

    public void Dispose() => _helix.Dispose();
}
