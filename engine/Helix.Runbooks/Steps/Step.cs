namespace Helix.Runbooks.Steps;

/// <summary>Names a step type (<c>system.verb</c>) and says in one line what it does.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class StepAttribute(string name, string summary) : Attribute
{
    public string Name { get; } = name;
    public string Summary { get; } = summary;

    /// <summary>A failed attempt may be repeated without harm. False: the engine never retries by itself (WFE-08).</summary>
    public bool Repeatable { get; init; } = true;

    /// <summary>The effect must be stated by the runbook with <c>effect:</c>, because only its author knows it.</summary>
    public bool StatesEffect { get; init; }

    /// <summary>What it removes is said by its options, as a policy that was reviewed with the runbook: that is its approval, so that it can run on a schedule.</summary>
    public bool OptionsAreApproval { get; init; }

    /// <summary>What a failure means when the runbook says nothing: messages never end a run.</summary>
    public bool FailureIsWarning { get; init; }
}

/// <summary>A step type as the engine sees it: options and outputs as JSON. Authors derive from <see cref="Step{TOptions,TOutputs}"/>.</summary>
public abstract class Step
{
    public abstract Type OptionsType { get; }
    public abstract Type OutputsType { get; }

    /// <summary>What these options do to each target. Pure: reads nothing but the options.</summary>
    internal abstract IReadOnlyList<TargetEffect> EffectsOf(object options);
    internal abstract Task<StepPlan> PlanWith(object options, PlanContext context);
    internal abstract Task<object> RunWith(object options, StepContext context);
    internal abstract Task<ProbeResult> ProbeWith(object options, StepContext context);
}

/// <summary>One step type. <typeparamref name="TOptions"/> and <typeparamref name="TOutputs"/> are records; use <see cref="NoOutputs"/> when there are none.</summary>
public abstract class Step<TOptions, TOutputs> : Step
    where TOptions : class
    where TOutputs : class
{
    public sealed override Type OptionsType => typeof(TOptions);
    public sealed override Type OutputsType => typeof(TOutputs);

    /// <summary>What the step does to each target with these options. Drives locks, gates, lint, plan and residue.</summary>
    public abstract IEnumerable<TargetEffect> Effects(TOptions options);

    /// <summary>Says what would be touched. Has no effects; may read through the context. Default: the effects in words.</summary>
    public virtual Task<StepPlan> Plan(TOptions options, PlanContext context) => Task.FromResult(new StepPlan());

    /// <summary>Does the work and checks the thing itself: exit code 0 proves nothing.</summary>
    /// <exception cref="StepFailedException">The world said no.</exception>
    public abstract Task<TOutputs> Run(TOptions options, StepContext context);

    /// <summary>After a crash: looks whether the effect happened. Default: unknown, which asks a person (a step that only reads just runs again).</summary>
    public virtual Task<ProbeResult<TOutputs>> Probe(TOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<TOutputs>.Unknown("this step type cannot tell"));

    internal sealed override IReadOnlyList<TargetEffect> EffectsOf(object options) => [.. Effects((TOptions)options)];
    internal sealed override Task<StepPlan> PlanWith(object options, PlanContext context) => Plan((TOptions)options, context);
    internal sealed override async Task<object> RunWith(object options, StepContext context) => await Run((TOptions)options, context);

    internal sealed override async Task<ProbeResult> ProbeWith(object options, StepContext context)
    {
        var result = await Probe((TOptions)options, context);
        return new ProbeResult(result.Verdict, result.Outputs, result.Why);
    }
}

/// <summary>The outputs of a step that has none.</summary>
public sealed record NoOutputs
{
    public static readonly NoOutputs Value = new();
}

/// <summary>What a step would do, in words for the plan. Sizes in bytes.</summary>
public sealed record StepPlan
{
    public IReadOnlyList<string> Lines { get; init; } = [];
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Bytes that the step will write below the run's work or safe folder, if it knows.</summary>
    public long? LocalBytes { get; init; }
}

public enum ProbeVerdict { Done, NotDone, Unknown }

public sealed record ProbeResult(ProbeVerdict Verdict, object? Outputs, string Why);

public sealed record ProbeResult<TOutputs>(ProbeVerdict Verdict, TOutputs? Outputs, string Why) where TOutputs : class
{
    public static ProbeResult<TOutputs> Done(TOutputs outputs, string why) => new(ProbeVerdict.Done, outputs, why);
    public static ProbeResult<TOutputs> NotDone(string why) => new(ProbeVerdict.NotDone, null, why);
    public static ProbeResult<TOutputs> Unknown(string why) => new(ProbeVerdict.Unknown, null, why);
}
