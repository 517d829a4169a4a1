using Helix.Runbooks.Tests.Cli;

namespace Helix.Runbooks.Tests.Schedules;

/// <summary>A file of triggers with the runbooks and environments that it names, as `helix validate` sees it.</summary>
public sealed class TriggerReaderTests : IDisposable
{
    readonly HelixHere _helix = new();

    public TriggerReaderTests()
    {
        _helix.Write("env.yaml", "apiVersion: helix.runbooks/v1\nname: env\nprotected: true\ntargets:\n  shelf: { kind: directory, path: . }\n");
        _helix.Write("look.yaml", """
            apiVersion: helix.runbooks/v1
            name: look
            title: Look
            inputs:
              what: { type: string, required: true }
              size: { type: number, default: 1 }
              key: { type: secret }
            steps:
              - { id: look, uses: command.run, effect: reads, with: { argv: [echo, "{{ inputs.what }}"] } }
            """);
    }

    string Book(string trigger, string hooks = "alerts: { from: alertmanager }\n  calls: { from: signed, secret: env:S }") =>
        _helix.Write("triggers.yaml", $"apiVersion: helix.runbooks/v1\nname: triggers\nenvironment: env.yaml\nhooks:\n  {hooks}\ntriggers:\n  {trigger}\n");

    [Theory]
    [InlineData("one: { hook: alerts, match: { alertname: A }, runbook: look.yaml, inputs: { what: '{{ alert.labels.instance ?? alert.annotations.where }}', size: '{{ alert.labels.size }}' } }")]
    [InlineData("one: { hook: calls, when: \"{{ body.a.b == 'c' }}\", same: '{{ body.id }}', runbook: look.yaml, inputs: { what: '{{ body.x[0] }}' }, atOnce: nothing, minimumDelay: 1h }")]
    public async Task Triggers_that_fit_their_runbooks_are_read(string trigger)
    {
        Assert.Equal(0, await _helix.Run("validate", Book(trigger)));
        Assert.Equal("", _helix.Out.Trim());
    }

    [Theory]
    [InlineData("one: { hook: none, match: { a: b }, runbook: look.yaml, inputs: { what: x } }", "8:16", "There is no hook 'none'")]
    [InlineData("one: { hook: alerts, match: { a: b }, runbook: look.yaml }", "8:8", "lacks 'what'")]
    [InlineData("one: { hook: alerts, match: { a: b }, runbook: look.yaml, inputs: { what: '{{ alert.label.x }}' } }", "8:87", "has no 'label'")]
    [InlineData("one: { hook: alerts, match: { a: b }, runbook: look.yaml, inputs: { what: '{{ body.x }}' } }", "8:81", "There is no variable 'body'")]
    [InlineData("one: { hook: alerts, match: { a: b }, runbook: look.yaml, inputs: { what: x, key: '{{ alert.labels.key }}' } }", "8:85", "must not choose which")]
    [InlineData("one: { hook: alerts, match: { a: b }, runbook: look.yaml, inputs: { what: x }, same: x }", "8:88", "told by Alertmanager")]
    [InlineData("one: { hook: calls, match: { a: b }, runbook: look.yaml, inputs: { what: x } }", "8:30", "has no labels")]
    [InlineData("one: { hook: alerts, when: '{{ alert.labels.a }}', runbook: look.yaml, inputs: { what: x } }", "8:34", "must be true or false")]
    [InlineData("one: { hook: alerts, match: { a: b }, runbook: look.yaml, inputs: { what: x }, atOnce: destroys }", "8:90", "one of")]
    [InlineData("one: { hook: alerts, match: { a: b }, runbook: look.yaml, inputs: { what: x }, mode: drill }", "8:3", "drill in the protected environment")]
    [InlineData("one: { hook: alerts, match: { a: b }, runbook: missing.yaml }", "8:50", "named here has errors")]
    public async Task What_is_wrong_is_told_by_its_place(string trigger, string place, string message)
    {
        Assert.Equal(2, await _helix.Run("validate", Book(trigger)));
        Assert.Contains(message, _helix.Out, StringComparison.Ordinal);
        Assert.Contains($"triggers.yaml:{place}:", _helix.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("calls: { from: signed }", "lacks 'secret'")]
    [InlineData("calls: { from: signed, secret: vault:v/x#y }", "Vault cannot be asked")]
    [InlineData("calls: { from: alertmanager, secret: env:S }", "Alertmanager cannot sign")]
    public async Task A_hook_that_could_prove_nothing_is_told(string hook, string message)
    {
        Assert.Equal(2, await _helix.Run("validate", Book("one: { hook: calls, runbook: look.yaml, inputs: { what: x } }", hook)));
        Assert.Contains(message, _helix.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_trigger_for_every_alert_is_warned_of()
    {
        Assert.Equal(0, await _helix.Run("validate", Book("one: { hook: alerts, runbook: look.yaml, inputs: { what: x } }")));
        Assert.Contains("Every alert that comes fires this trigger", _helix.Out, StringComparison.Ordinal);
    }

    public void Dispose() => _helix.Dispose();
}
