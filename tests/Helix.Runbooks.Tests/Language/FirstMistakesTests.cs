using System.Text;
using Helix.Runbooks.Model;
using Helix.Runbooks.Tests.Contract;
using Xunit;

namespace Helix.Runbooks.Tests.Language;

/// <summary>What people write wrongly in their first runbooks is said by `helix validate`, with the fix, and not hours later by the step.</summary>
public sealed class FirstMistakesTests
{
    [Theory]
    [InlineData("uses: shell.run, effect: reads, with: { args: [a] }", "shell.run needs 'script' or 'file'.")]
    [InlineData("uses: shell.run, effect: reads, with: { script: 'true', file: a.sh }", "takes either 'script' or 'file'")]
    [InlineData("uses: wait, with: {}", "wait needs 'for' or 'until'.")]
    [InlineData("uses: backup.upload, with: { target: shelf, prefix: redis/, kind: x, recoveryPoint: 2026-03-01T02:00:00Z }", "needs 'file' or 'command'")]
    [InlineData("uses: backup.upload, with: { target: shelf, file: a, prefix: redis, kind: x, recoveryPoint: 2026-03-01T02:00:00Z }", "'prefix' must be folders with '/' after each, as redis/")]
    [InlineData("uses: backup.upload, with: { target: shelf, file: a, prefix: '', kind: x, recoveryPoint: 2026-03-01T02:00:00Z }", "'prefix' must be folders with '/' after each, as redis/")]
    [InlineData("uses: command.run, effect: reads, with: { argv: [ls], outputs: { n: { from: stdout } } }", "must be text, lines or json:PATH")]
    [InlineData("uses: command.run, effect: reads, with: { argv: [ls], outputs: { n: { from: 'json:name' } } }", "must be text, lines or json:PATH")]
    [InlineData("uses: command.run, effect: reads, with: { argv: pg_restore --clean }", "Write [pg_restore, --clean] for a list of 2")]
    [InlineData("uses: shell.run, effect: reads, with: { script: 'echo {{ run.id }}' }", "`env: { NAME: … }`")]
    [InlineData("uses: neo4j.query, with: { target: graph, query: 'MATCH (n {id: {{ run.id }}}) RETURN n' }", "`parameters: { name: … }`")]
    [InlineData("uses: metric.check, with: { name: people, from: { cypher: { server: graph, query: 'MATCH (n) WHERE n.id = {{ run.id }} RETURN count(n)' } } }", "Hint: Write the value itself.")]
    [InlineData("uses: command.run, effect: destroys, with: { argv: [dropdb, shop] }", "'it' destroys data of this machine, and no approval stands before it.")]
    [InlineData("uses: shell.run, effect: reads, when: steps.a.b > 1, with: { script: 'true' }", "Write {{ … }} around it: without, it is text.")]
    public void It_is_said_with_the_fix(string step, string said) =>
        Assert.Contains(said, string.Join("\n", Problems(step)), StringComparison.Ordinal);

    [Theory]
    [InlineData("uses: shell.run, effect: reads, with: { script: 'pg_dump shop >shop.dump; sleep 1' }")]
    [InlineData("uses: command.run, effect: reads, with: { argv: [ls], outputs: { n: { from: \"json:$.a['odd name'][0]\" }, l: { from: lines }, t: { type: number } } }")]
    [InlineData("uses: backup.upload, with: { target: shelf, file: a, prefix: neo4j/daily/, kind: x, recoveryPoint: 2026-03-01T02:00:00Z }")]
    [InlineData("uses: backup.upload, with: { target: shelf, file: a, prefix: '{{ inputs.series }}', kind: x, recoveryPoint: 2026-03-01T02:00:00Z }")]
    public void What_is_right_is_left_alone(string step) => Assert.Empty(Problems(step));

    [Theory]
    [InlineData("{ kind: service }", "sample.yaml:4:7: Target 'it' has no runtime")]
    [InlineData("{ kind: service, runtime: { docker: web, process: { start: [web], pidFile: /run/web.pid, directory: /srv } } }", "sample.yaml:4:7: The runtime of target 'it' is not complete: it names more than one.")]
    public void A_target_that_no_runbook_could_use_is_said_with_its_line(string target, string said)
    {
        var text = $"apiVersion: helix.runbooks/v1\nname: sample\ntargets:\n  it: {target}\n";
        var read = new EnvironmentReader(Setting.Catalog).Read("sample.yaml", Encoding.UTF8.GetBytes(text));
        Assert.Contains(read.Problems, p => p.ToString().StartsWith(said, StringComparison.Ordinal));
    }

    static IEnumerable<string> Problems(string step)
    {
        var text = $"apiVersion: helix.runbooks/v1\nname: sample\ntitle: A sample\ninputs: {{ series: {{ type: string, default: a/ }} }}\nsteps:\n  - {{ id: it, {step} }}\n";
        return new RunbookReader(Setting.Catalog).Read("sample.yaml", Encoding.UTF8.GetBytes(text), _ => null).Problems.Select(p => p.ToString());
    }
}
