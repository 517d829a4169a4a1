using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Triggers;

// The fields of a file of triggers, as they are written.

sealed record TriggersFields
{
    [Description("The version of the language: helix.runbooks/v1."), Required]
    public ApiVersion? ApiVersion { get; init; }

    [Description("Equals the file name, in kebab-case."), Required, RegularExpression(Names.KebabPattern)]
    public string? Name { get; init; }

    [Description("The environment of those that name none; relative to this file.")]
    public string? Environment { get; init; }

    [Description("Name to hook; POST /hooks/NAME calls it."), Required]
    public IReadOnlyDictionary<string, HookFields>? Hooks { get; init; }

    [Description("Name to trigger."), Required]
    public IReadOnlyDictionary<string, TriggerFields>? Triggers { get; init; }
}

sealed record HookFields
{
    [Description("Who calls. alertmanager: the webhook of Prometheus Alertmanager (version 4), with a token that an account made for this hook. signed: any program that signs time and body with a secret (HMAC-SHA256)."), Required]
    public HookSource? From { get; init; }

    [Description("For a signed hook: the secret with which it is signed.")]
    public Secret? Secret { get; init; }

    [Description("For a signed hook: a signature counts for so long before and after its time. Default: 5m.")]
    public Duration? Window { get; init; }
}

sealed record TriggerFields
{
    [Description("The hook that is called."), Required]
    public string? Hook { get; init; }

    [Description("Labels that an alert must have, with their values.")]
    public IReadOnlyDictionary<string, string>? Match { get; init; }

    [Description("A condition over alert (labels, annotations, startsAt, fingerprint, generatorURL), or over body for a signed hook.")]
    public string? When { get; init; }

    [Description("The runbook; relative to this file."), Required]
    public string? Runbook { get; init; }

    [Description("The environment, when it is another one.")]
    public string? Environment { get; init; }

    [Description("Values of the runbook's inputs, with expressions over alert, or over body for a signed hook. None for inputs that are secrets.")]
    public OptionsField? Inputs { get; init; }

    [Description("For a signed hook: what makes two calls the same, as \"{{ body.id }}\". Default: the whole body.")]
    public string? Same { get; init; }

    [Description("For a signed hook: a call that is the same as one before does nothing for so long. Default: 24h. An alert does nothing again until it is resolved and begins anew.")]
    public Duration? SameFor { get; init; }

    [Description("At least so long between two runs that this trigger starts at once. Default: 15m.")]
    public Duration? MinimumDelay { get; init; }

    [Description("The strongest effect of a plan that is started at once; what is stronger is suggested to people. What destroys is never started at once. Default: changes.")]
    public AtOnce? AtOnce { get; init; }

    [Description("A suggestion that nobody takes ends after so long. Default: 4h.")]
    public Duration? ExpiresAfter { get; init; }

    [Description("live or drill.")]
    public TriggeredMode? Mode { get; init; }

    [Description("false: kept here, and never fires.")]
    public bool? Enabled { get; init; }
}

public enum HookSource { Alertmanager, Signed }

public enum AtOnce { Nothing, Reads, Interrupts, Changes }

public enum TriggeredMode { Live, Drill }
