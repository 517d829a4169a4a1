using Helix.Runbooks.Model;
using Helix.Runbooks.Tests.Contract;

namespace Helix.Runbooks.Tests.Neo4j;

/// <summary>What is said of a runbook before it runs.</summary>
public sealed class LintTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("helix-lint-").FullName;

    IReadOnlyList<Problem> Problems(string steps, string edition = "community")
    {
        var environment = Path.Combine(_folder, "env.yaml");
        File.WriteAllText(environment, $$"""
            apiVersion: helix.runbooks/v1
            name: env
            targets:
              neo4j: { kind: neo4j, url: "http://localhost:7474", edition: {{edition}} }
              scratch: { kind: neo4j, url: "http://localhost:17474", scratch: true }
            people: { groups: { dba: [ann] } }
            """);
        var book = Path.Combine(_folder, "sample.yaml");
        File.WriteAllText(book, $"""
            apiVersion: helix.runbooks/v1
            name: sample
            title: A sample
            steps:
            {steps}
            """);
        var read = new EnvironmentReader(Setting.Catalog).ReadFile(environment);
        Assert.Empty(read.Problems);
        return [.. new RunbookReader(Setting.Catalog).ReadFile(book, read.Value).Problems.Where(p => p.Rule is "users-not-dumped" or "database-stays-offline" or "removed-procedure" or "exec-after-stop" or "needs-enterprise")];
    }

    [Fact]
    public void NEO_12_a_dump_without_users_is_warned_of_unless_that_is_stated_or_they_are_dumped_too()
    {
        const string dump = "  - { id: dump, uses: neo4j.dump, with: { target: neo4j, to: a.dump } }";
        var warning = Assert.Single(Problems(dump));
        Assert.Equal((Severity.Warning, "users-not-dumped"), (warning.Severity, warning.Rule));
        Assert.Contains("database: system", warning.Hint);
        Assert.Empty(Problems(dump + "\n  - { id: users, uses: neo4j.dump, with: { target: neo4j, to: b.dump, database: system } }"));
        Assert.Empty(Problems("  - { id: dump, uses: neo4j.dump, with: { target: neo4j, to: a.dump, withoutUsers: true } }"));
        Assert.Empty(Problems("  - { id: dump, uses: neo4j.dump, with: { target: scratch, to: a.dump } }"));
    }

    [Fact]
    public void NEO_06_another_database_on_a_community_edition_is_an_error_of_the_runbook()
    {
        const string load = "  - { id: load, uses: neo4j.load, with: { target: neo4j, from: a.dump, database: movies } }";
        var error = Assert.Single(Problems(load));
        Assert.Equal((Severity.Error, "database-stays-offline"), (error.Severity, error.Rule));
        Assert.Contains("serves one database", error.Message);
        Assert.Empty(Problems(load, "enterprise"));
        Assert.Empty(Problems(load.Replace("movies", "neo4j", StringComparison.Ordinal)));
    }

    [Fact]
    public void NEO_14_an_online_backup_of_a_community_edition_is_an_error_of_the_runbook()
    {
        const string backup = "  - { id: online, uses: neo4j.backup, with: { target: neo4j, to: a.backup } }";
        Assert.Contains("neo4j.dump", Assert.Single(Problems(backup)).Hint);
        Assert.Empty(Problems(backup, "enterprise"));
    }

    [Fact]
    public void A_restore_that_runs_only_for_an_online_backup_is_no_error_on_a_community_edition()
    {
        const string restore = "  - { id: count, uses: neo4j.counts, with: { target: neo4j } }\n  - { id: restore, uses: neo4j.restore, when: \"{{ steps.count.succeeded }}\", with: { target: neo4j, from: a.backup } }";
        Assert.Empty(Problems(restore));
        Assert.Single(Problems(restore.Replace("when: \"{{ steps.count.succeeded }}\", ", "", StringComparison.Ordinal)));
    }

    [Fact]
    public void NEO_10_a_removed_procedure_in_a_query_or_a_check_is_warned_of()
    {
        var warning = Assert.Single(Problems("  - { id: ask, uses: neo4j.verify, with: { target: neo4j, checks: [{ query: \"CALL db.constraints()\", expect: 1 }] } }"));
        Assert.Equal("removed-procedure", warning.Rule);
        Assert.Contains("SHOW CONSTRAINTS", warning.Hint);
    }

    [Fact]
    public void NEO_02_a_command_inside_a_stopped_server_is_warned_of()
    {
        var warning = Assert.Single(Problems("  - { id: stop, uses: target.stop, with: { targets: [neo4j] } }\n  - { id: dump, uses: target.exec, with: { target: neo4j, command: [neo4j-admin, dump] } }"));
        Assert.Equal("exec-after-stop", warning.Rule);
    }

    public void Dispose() => TempFolder.Delete(_folder);
}
