using System.Collections.Concurrent;
using Helix.Runbooks.Tests.Cli;
using Helix.Runbooks.Tests.Postgres;

namespace Helix.Runbooks.Tests.Faults;

/// <summary>A person sits at a terminal before a question, and the database that holds the run goes away.</summary>
public sealed class AnswerWhileAwayTests : IDisposable
{
    readonly PostgresServer _server = new();
    readonly HelixHere _helix;
    readonly StringWriter _screen = new();
    readonly Keys _keys = new();

    // A server of a busy machine takes its time to stop and to start.
    public AnswerWhileAwayTests() => _helix = new HelixHere { Store = _server.Store(), LeaseExpires = Hang.Limit };

    [Fact]
    public async Task A_question_on_the_screen_is_still_asked_after_its_database_was_away_for_a_moment()
    {
        var run = Run();
        await Asked();
        _server.Stop();
        await Task.Delay(TimeSpan.FromSeconds(0.7), TimeProvider.System); // meanwhile the question is looked at again and again
        _server.Start();
        _keys.Type("approve");
        Assert.Equal(0, await run);
        Assert.DoesNotContain("The question is closed.", _screen.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_meets_a_database_that_is_away_can_be_given_again()
    {
        var run = Run();
        await Asked();
        _server.Stop();
        _keys.Type("approve");
        await Eventually.True(() => _screen.ToString().Contains("answer it again", StringComparison.Ordinal), "it is said");
        _server.Start();
        _keys.Type("approve");
        Assert.Equal(0, await run);
    }

    Task<int> Run()
    {
        var me = System.Environment.UserName;
        var here = _helix.Write("here.yaml", $"apiVersion: helix.runbooks/v1\nname: here\ntargets: {{}}\npeople:\n  groups: {{ me: [{me}] }}\n");
        var gate = _helix.Write("gate.yaml", "apiVersion: helix.runbooks/v1\nname: gate\ntitle: A test\nsteps:\n  - { id: go, uses: approval, with: { message: Shall it go on?, approvers: [group:me], selfApproval: true } }\n");
        return Task.Run(() => _helix.Run(["run", gate, "--environment", here], screen: _screen, keys: _keys)).WaitAsync(Hang.Limit, TimeProvider.System);
    }

    Task Asked() => Eventually.True(() => _screen.ToString().Contains("approve, reject or later: ", StringComparison.Ordinal), "it is asked");

    public void Dispose()
    {
        _keys.Dispose();
        _helix.Dispose();
        _server.Dispose();
    }

    /// <summary>Each line comes when the test types it.</summary>
    sealed class Keys : TextReader
    {
        readonly BlockingCollection<string> _lines = [];

        public void Type(string line) => _lines.Add(line);
        public override string? ReadLine() => _lines.TryTake(out var line, Timeout.Infinite) ? line : null;

        protected override void Dispose(bool disposing)
        {
            _lines.CompleteAdding();
            base.Dispose(disposing);
        }
    }
}
