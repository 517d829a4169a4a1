using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Processes;

public sealed class SecretSourcesTests : IDisposable
{
    readonly TestHost _host = new();
    readonly Masker _masker = new();
    public void Dispose() => _host.Dispose();

    SecretSources Sources(VaultReader? vault = null) =>
        new(_masker) { Variable = n => n == "SET" ? "value-of-set" : n == "EMPTY" ? "" : null, BaseDirectory = _host.Folder, Vault = vault };

    Task<string> Reveal(params string[] references) => Sources().Reveal(new(references), default);

    [Fact]
    public async Task A_file_loses_one_newline_at_its_end_and_no_more()
    {
        File.WriteAllText(Path.Combine(_host.Folder, "secret"), " two\n\n");
        Assert.Equal(" two\n", await Reveal("file:secret"));
        Assert.Equal("***", _masker.Mask(" two\n"));
    }

    [Fact]
    public async Task References_are_tried_in_order()
    {
        Assert.Equal("value-of-set", await Reveal("vault:vault/kv/redis#password", "file:none", "env:EMPTY", "env:SET"));
        Assert.Equal("***", _masker.Mask("value-of-set"));
    }

    [Fact]
    public async Task When_none_gives_a_value_all_are_named_with_their_reasons()
    {
        var e = await Assert.ThrowsAsync<StepFailedException>(() => Reveal("file:/no/such/file", "env:NOT_SET"));
        Assert.Contains("/no/such/file does not exist", e.Message);
        Assert.Contains("NOT_SET is not set", e.Message);
        Assert.Equal(FailureClass.Missing, e.Failure);
    }

    [Fact]
    public async Task A_vault_reference_without_a_vault_says_so_and_what_to_do()
    {
        var e = await Assert.ThrowsAsync<StepFailedException>(() => Reveal("vault:vault/kv/redis#password"));
        Assert.Contains("vault:vault/kv/redis#password", e.Message);
        Assert.Contains("second reference", e.Hint);
    }

    [Fact]
    public async Task A_vault_reader_gets_target_path_and_field()
    {
        var value = await Sources((target, path, field, _) => Task.FromResult($"{target}|{path}|{field}")).Reveal(new(["vault:vault/secret/data/redis#password"]), default);
        Assert.Equal("vault|secret/data/redis|password", value);
    }
}
