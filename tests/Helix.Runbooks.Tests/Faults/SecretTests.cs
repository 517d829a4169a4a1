using System.Text;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Tests.Http;
using Helix.Runbooks.Tests.Runs;

namespace Helix.Runbooks.Tests.Faults;

/// <summary>A secret is used by a whole run and turns up nowhere.</summary>
public sealed class SecretTests : IDisposable
{
    const string Name = "HELIX_TEST_CANARY";
    readonly string _canary = $"c4n'ry \"{Guid.NewGuid():N}\" /+&";

    public SecretTests() => Environment.SetEnvironmentVariable(Name, _canary);
    public void Dispose() => Environment.SetEnvironmentVariable(Name, null);

    [Fact]
    public async Task A_secret_is_in_no_file_log_output_report_or_argument_list()
    {
        using var stub = new HttpStub(r => r.Path == "/bad" ? new StubAnswer(500, $"no: {_canary}") : new StubAnswer(200, $$"""{"token": {{System.Text.Json.JsonSerializer.Serialize(_canary)}}, "plain": 1}"""));
        using var scene = new Scene($$$"""
            steps:
              - id: child
                uses: world.child
                with:
                  world: WORLD
                  line: child
                  secret: env:{{{Name}}}
                  script: 'cd $(dirname WORLD); echo "said $SECRET"; echo "said $SECRET" >&2; printf %s "$SECRET" | base64; touch began; while [ -d $PWD -a ! -e go ]; do sleep 0.05; done'
              - { id: ask, uses: http.request, with: { url: "{{{stub.Url}}}good", bearer: "env:{{{Name}}}", outputs: { token: { type: string, from: "json:$.token" } } }, effect: reads }
              - { id: use, uses: world.write, with: { world: WORLD, line: "got {{ steps.ask.token }}" } }
              - { id: bad, uses: http.request, with: { url: "{{{stub.Url}}}bad", secretHeaders: { X-Key: "env:{{{Name}}}" } }, effect: reads, ifFails: continue }
              - { id: fails, uses: world.child, with: { world: WORLD, line: fails, secret: "env:{{{Name}}}", script: 'echo "broken by $SECRET" >&2; exit 3' }, ifFails: continue }
            outputs:
              all: "{{ steps.child.said }} {{ steps.use.line }}"
            """);
        using var driver = scene.Start(null, "all=yes");
        await Eventually.True(() => File.Exists(Path.Combine(scene.Folder, "began")), "the child runs");
        AssertClean("an argument list", Directory.EnumerateDirectories("/proc").Select(p => Path.Combine(p, "cmdline")).Select(Bytes));
        scene.Write("go", "");
        var (exit, said, errors) = await driver.End();
        Assert.True(exit == 0, said + errors);
        AssertClean("what the driver says", [Encoding.UTF8.GetBytes(said + errors)]);
        AssertClean("a file", Directory.EnumerateFiles(scene.Folder, "*", SearchOption.AllDirectories).Where(f => f != scene.World).Select(Bytes));

        using var session = scene.Open();
        var run = session.Run!;
        var export = new StringWriter();
        session.Store.Export(run, export);
        var plan = session.Engine.PlanOf(session.State);
        var clocks = Clocks.Of(session.State, plan, session.Engine.Catalog, TimeProvider.System.GetUtcNow(), _ => null);
        var report = RunReport.Of(session.State, plan, clocks, session.Store.Read(run), _ => null, []);
        AssertClean("the export or a report", new[] { export.ToString(), HtmlReport.Of(report), MarkdownReport.Of(report), System.Text.Json.JsonSerializer.Serialize(report, ReportJson.Indented), PlanPage.Text(plan, new Dictionary<string, Steps.StepPlan>()) }.Select(Encoding.UTF8.GetBytes));
        Assert.Contains(session.Store.Logs(run), l => l.Text == "said ***");
        Assert.Contains(stub.Requests, r => r.Headers.GetValueOrDefault("X-Key") == _canary);
        Assert.Empty(session.Store.Verify(run));
    }

    static byte[] Bytes(string file)
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    void AssertClean(string what, IEnumerable<byte[]> texts)
    {
        var forms = new[] { _canary, Uri.EscapeDataString(_canary), Convert.ToBase64String(Encoding.UTF8.GetBytes(_canary)), System.Text.Json.JsonSerializer.Serialize(_canary).Trim('"'), _canary.Split('"')[1] };
        foreach (var text in texts)
            foreach (var form in forms)
                Assert.False(text.AsSpan().IndexOf(Encoding.UTF8.GetBytes(form)) >= 0, $"{what} holds the secret");
    }
}
