using Helix.Runbooks.Steps;
using Helix.Steps.Vault;

namespace Helix.Runbooks.Tests.Vault;

/// <summary>Reading from both kinds of key-value store. Against the stub.</summary>
public sealed class VaultReadTests : IDisposable
{
    readonly TestHost _host = new();
    readonly VaultStub _vault = new();

    public VaultReadTests()
    {
        _vault.Target(_host);
        _vault.Write("secret/helix/app", new() { ["password"] = "x-newest-value", ["empty"] = "", ["port"] = 5432 });
        _vault.Write("old/helix", new() { ["password"] = "x-plain-value" });
    }

    [Theory, InlineData("secret/helix/app", 2, 1), InlineData("/secret/helix/app/", 2, 1), InlineData("old/helix", 1, 0)]
    public async Task VLT_03_The_mount_says_how_a_path_is_read_on_the_stub(string path, int mount, int version)
    {
        var read = await _host.Run(new VaultRead(), Of(path, "password"));
        Assert.Equal((mount, version), (read.MountVersion, read.Version));
        Assert.Equal($"vault:vault/{path.Trim('/')}#password", read.References["password"]);
        _host.AssertNoCanary(read);
        Assert.DoesNotContain("x-", StepJson.ToJson(read).ToJsonString(), StringComparison.Ordinal);
    }

    [Theory, InlineData("secret/helix/app", "x-newest-value"), InlineData("old/helix", "x-plain-value")]
    public async Task VLT_03_A_reference_gives_the_value_of_either_store(string path, string value)
    {
        Assert.Equal(value, await _host.PlanContext().Reveal(new([$"vault:vault/{path}#password"])));
        Assert.Equal("***", _host.Masker.Mask(value));
    }

    [Theory]
    [InlineData("secret/helix/app", "user", FailureClass.Missing, "has no field 'user'")]
    [InlineData("secret/helix/app", "empty", FailureClass.InvalidData, "is empty")]
    [InlineData("secret/nothing", "password", FailureClass.Missing, "There is no secret secret/nothing")]
    [InlineData("old/nothing", "password", FailureClass.Missing, "There is no secret old/nothing")]
    [InlineData("elsewhere/helix", "password", FailureClass.Auth, "sees nothing at elsewhere/helix")]
    [InlineData("pki/helix", "password", FailureClass.InvalidData, "is no key-value store but pki")]
    public async Task VLT_03_What_is_not_there_fails_and_is_never_an_empty_value(string path, string field, FailureClass failure, string words)
    {
        var e = await _host.Fails(failure, new VaultRead(), Of(path, field));
        Assert.Contains(words, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VLT_03_A_path_with_data_in_it_gets_the_hint_to_leave_it_away()
    {
        var e = await _host.Fails(FailureClass.Missing, new VaultRead(), Of("secret/data/helix/app", "password"));
        Assert.Contains("Leave `data/` away", e.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sealed_Vault_is_called_sealed()
    {
        _vault.Sealed = true;
        var e = await _host.Fails(FailureClass.Conflict, new VaultRead(), Of("secret/helix/app", "password"));
        Assert.Contains("is sealed", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_second_place_of_a_secret_serves_while_Vault_is_sealed()
    {
        _vault.Sealed = true;
        await File.WriteAllTextAsync(Path.Combine(_host.Folder, "kept"), "x-from-the-file\n");
        Assert.Equal("x-from-the-file", await _host.PlanContext().Reveal(new(["vault:vault/secret/helix/app#password", "file:kept"])));
    }

    static VaultReadOptions Of(string path, string field) => new() { Target = "vault", Path = path, Fields = [field] };

    public void Dispose()
    {
        _vault.Dispose();
        _host.Dispose();
    }
}
