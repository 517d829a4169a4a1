using Helix.Steps.Vault;

namespace Helix.Runbooks.Tests.Vault;

sealed partial class VaultStub
{
    public VaultTarget Target(TestHost host, string? token = "root") => host.Add("vault", new VaultTarget
    {
        Url = Url,
        Token = token is null ? null : host.Canary("VAULT_TOKEN", Padded(token)),
        Timeout = new(Hang.Limit),
    });
}
