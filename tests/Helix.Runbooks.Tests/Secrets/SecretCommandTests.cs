using Helix.Runbooks.Tests.Cli;
using Helix.Runbooks.Tests.Vault;

namespace Helix.Runbooks.Tests.Secrets;

/// <summary>`helix secret` against a driver in a process of its own.</summary>
public sealed class SecretCommandTests : IDisposable
{
    readonly HelixHere _helix = new();
    readonly VaultStub _vault = new() { Sealed = true, Shares = ["canary-typed-share"], Threshold = 1 };

    [Fact]
    public async Task A_share_that_is_typed_reaches_the_driver_and_shows_nowhere()
    {
        _helix.Write("env.yaml", $"apiVersion: helix.runbooks/v1\nname: env\ntargets:\n  vault: {{ kind: vault, url: \"{_vault.Url}\" }}\n");
        _helix.Write("book.yaml", "apiVersion: helix.runbooks/v1\nname: book\ntitle: Open it\nsteps:\n  - { id: open, uses: vault.unseal, with: { targets: [vault], holders: [" + System.Environment.UserName + "] } }\n");
        using var driver = new HelixProcess(_helix.Store, ["run", Path.Combine(_helix.Folder, "book.yaml"), "-e", Path.Combine(_helix.Folder, "env.yaml"), "--unattended"]);
        await Eventually.True(async () => await _helix.Run("status") == 0 && _helix.Out.Contains("waits for a secret", StringComparison.Ordinal), "it asks");
        Assert.Contains("Share 1 of 1 to unseal vault 'vault'", _helix.Out, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run("runs", "--json"));
        var run = (string)_helix.Json.AsArray().Single()!["run"]!;

        Assert.Equal(2, await _helix.Run("secret", run, "password"));
        Assert.Contains("waits for no 'password' now", _helix.Error, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run(["secret", run], "canary-typed-share\n"));
        Assert.DoesNotContain("canary", _helix.Out + _helix.Error, StringComparison.Ordinal);
        var (code, output, error) = await driver.End();
        Assert.Equal(0, code);
        Assert.DoesNotContain("canary", output + error, StringComparison.Ordinal);
        Assert.Contains($"helix secret {run} share", error, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run("export", run));
        Assert.Contains("secret-given", _helix.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", _helix.Out, StringComparison.Ordinal);
        Assert.Equal(2, await _helix.Run("secret", run));
    }

    public void Dispose()
    {
        _vault.Dispose();
        _helix.Dispose();
    }
}
