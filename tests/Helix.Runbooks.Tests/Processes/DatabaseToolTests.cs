using Helix.Runbooks.Steps;
using Helix.Steps.Backups;
using Helix.Steps.Commands;
using ValueType = Helix.Runbooks.Steps.ValueType;

namespace Helix.Runbooks.Tests.Processes;

/// <summary>Dump and restore tools of databases, played by a dummy that has their words and exit codes.</summary>
public sealed class DatabaseToolTests : IDisposable
{
    readonly TestHost _host = new();

    [Fact]
    public async Task DB_02_A_dump_tool_that_is_older_than_its_server_is_seen_before_it_is_used()
    {
        var e = await _host.Fails(FailureClass.Conflict, new CommandVersions(), Versions("16.2"));
        Assert.Contains("is version 14.11, older than the server, which is 16.2", e.Message, StringComparison.Ordinal);
        Assert.Contains("older than the server", Assert.Single((await _host.Plan(new CommandVersions(), Versions("16.2"))).Warnings), StringComparison.Ordinal);
        Assert.Equal(("14.11", "14.5"), (await _host.Run(new CommandVersions(), Versions("14.5"))) is var same ? (same.Tool, same.Server) : default);
        Assert.Equal("9.6", (await _host.Run(new CommandVersions(), Versions("9.6"))).Server);
        await _host.Fails(FailureClass.Conflict, new CommandVersions(), Versions("13.1") with { Rule = VersionRule.SameMajor });
        await _host.Fails(FailureClass.InvalidData, new CommandVersions(), Versions("unknown"));
    }

    [Fact]
    public async Task DB_02_What_a_refused_dump_tool_printed_never_becomes_a_backup()
    {
        _host.Add("shelf", new DirectoryTarget { Path = Directory.CreateDirectory(Path.Combine(_host.Folder, "shelf")).FullName });
        var options = new BackupUploadOptions { Target = "shelf", Command = [Fake.Path, "pg_dump", "16"], Prefix = "shop/", Kind = "pg.dump", RecoveryPoint = DateTimeOffset.UnixEpoch };
        var e = await Assert.ThrowsAsync<StepFailedException>(() => _host.Run(new BackupUpload(), options));
        Assert.Contains("server version mismatch", e.Message, StringComparison.Ordinal);
        Assert.Empty(Stored());
        await Assert.ThrowsAsync<StepFailedException>(() => _host.Run(new BackupUpload(), options with { Command = ["true"] }));
        Assert.Empty(Stored());
        await _host.Run(new BackupUpload(), options with { Command = [Fake.Path, "pg_dump", "14"] });
        Assert.Equal(2, Stored().Count());
    }

    [Fact]
    public async Task DB_04_A_restore_that_went_on_after_errors_fails_unless_each_of_them_is_known()
    {
        Assert.Null(Warning(await Restore()));
        Assert.Equal("It ended with exit code 1; its 2 errors are those that the runbook allows.", Warning(await Restore("role \"web\" does not exist", "role \"app\" does not exist")));
        var e = await _host.Fails(FailureClass.Partial, new CommandRun(), Options("role \"web\" does not exist", "relation \"orders\" already exists"));
        Assert.Contains("relation \"orders\" already exists", e.Message, StringComparison.Ordinal);
        await _host.Fails(FailureClass.Transient, new CommandRun(), Options("role \"web\" does not exist") with { AllowedErrors = null });
        Assert.Contains("named no error", (await _host.Fails(FailureClass.Partial, new CommandRun(), Options() with { Argv = [Fake.Path, "exit", "1"] })).Message, StringComparison.Ordinal);
        await _host.Fails(FailureClass.Transient, new CommandRun(), Options() with { Argv = [Fake.Path, "exit", "3"] });
    }

    [Fact]
    public async Task DB_04_What_an_unknown_error_left_half_does_not_get_its_name()
    {
        var options = Options("relation \"orders\" already exists") with { Stdout = "list.txt", Outputs = new Dictionary<string, DeclaredOutput>() };
        await _host.Fails(FailureClass.Partial, new CommandRun(), options);
        Assert.False(File.Exists(Path.Combine(_host.Folder, "list.txt")));
        Assert.Contains("its error is one", Warning(await _host.Run(new CommandRun(), options with { Argv = [Fake.Path, "pg_restore", "role \"web\" does not exist"] })), StringComparison.Ordinal);
        Assert.Equal("restored\n", await File.ReadAllTextAsync(Path.Combine(_host.Folder, "list.txt")));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("list.txt")]
    public async Task DB_04_Errors_that_were_said_before_the_part_that_is_kept_are_not_allowed_unseen(string? to)
    {
        const string known = "error: role \"web\" does not exist";
        var options = Options() with { Outputs = new Dictionary<string, DeclaredOutput>(), Stdout = to };
        string[] Tool(string stream) => ["sh", "-c", $"""echo 'error: out of memory' >&{stream}; yes '{known}' | head -c 1500000 >&{stream}; echo '{known}' >&2; exit 1"""];
        var e = await _host.Fails(FailureClass.Partial, new CommandRun(), options with { Argv = Tool("2") });
        Assert.Contains("not all of its errors are known", e.Message, StringComparison.Ordinal);
        // What it says elsewhere may be as long as it likes.
        Assert.Contains("its error is one", Warning(await _host.Run(new CommandRun(), options with { Argv = Tool("1") })), StringComparison.Ordinal);
    }

    [Fact]
    public async Task DB_02_The_version_of_a_distribution_counts_and_not_that_of_the_tools_own_form()
    {
        var old = Versions("8.0.36") with { Tool = ["echo", "mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)"] };
        Assert.Contains("is version 5.7.44, older than the server, which is 8.0.36", (await _host.Fails(FailureClass.Conflict, new CommandVersions(), old)).Message, StringComparison.Ordinal);
        Assert.Equal("5.7.44", (await _host.Run(new CommandVersions(), old with { Server = ["echo", "5.7.40"] })).Tool);
    }

    static CommandVersionsOptions Versions(string server) => new() { Tool = [Fake.Path, "pg_dump", "16", "--version"], Server = ["echo", server] };

    Task<DeclaredOutputs> Restore(params string[] errors) => _host.Run(new CommandRun(), Options(errors));

    static CommandRunOptions Options(params string[] errors) => new()
    {
        Argv = [Fake.Path, "pg_restore", .. errors],
        AllowedErrors = new() { ExitCodes = [1], Allow = ["role \"[a-z]+\" does not exist", "errors ignored on restore"] },
        Outputs = new Dictionary<string, DeclaredOutput> { ["said"] = new() { Type = ValueType.Text } },
    };

    static string? Warning(DeclaredOutputs outputs) => StepJson.ToJson(outputs)["warning"]?.ToString();

    IEnumerable<string> Stored() => Directory.EnumerateFiles(Path.Combine(_host.Folder, "shelf"), "*", SearchOption.AllDirectories).Where(f => f.Contains("/shop/", StringComparison.Ordinal) && !Path.GetFileName(f).StartsWith('.'));

    public void Dispose() => _host.Dispose();
}
