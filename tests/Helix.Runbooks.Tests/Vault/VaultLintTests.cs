using Helix.Runbooks.Tests.Cli;

namespace Helix.Runbooks.Tests.Vault;

public sealed class VaultLintTests
{
    [Theory]
    [InlineData("true", "Overwrite?", true)]
    [InlineData("true", "Overwrite by what came from {{ steps.fetch.origin }}?", false)]
    [InlineData("\"{{ inputs.force }}\"", "Overwrite?", true)]
    [InlineData("false", "Overwrite?", false)]
    public async Task VLT_02_A_forced_restore_needs_an_approval_that_names_the_origin(string force, string message, bool warned)
    {
        using var helix = new HelixHere();
        var file = helix.Write("back.yaml", $$$"""
            apiVersion: helix.runbooks/v1
            name: back
            title: Back
            inputs:
              force: { type: boolean, default: false }
            steps:
              - { id: fetch, uses: backup.download, with: { target: backups, prefix: vault/, backup: latest, to: "{{ run.work }}/a" } }
              - { id: go, uses: approval, with: { message: "{{{message}}}", approvers: [ann] } }
              - { id: load, uses: vault.restore, with: { target: vault, from: "{{ steps.fetch.file }}", origin: "{{ steps.fetch.origin }}", force: {{{force}}} } }
            """);
        Assert.Equal(0, await helix.Run("validate", file));
        Assert.Equal(warned, helix.Out.Contains("no approval before it names that cluster", StringComparison.Ordinal));
    }
}
