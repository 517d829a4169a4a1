using System.ComponentModel;
using System.Text.Json.Serialization;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Targets;

[Target("service", "A service of any runtime, of which nothing else is known: it can be stopped, started and entered.")]
public sealed record ServiceTarget : RunningTarget
{
    [Description("How the service is run.")]
    [Example("{ docker: web }", Shown = true)]
    public override RuntimeOptions? Runtime { get; init; }

    [JsonIgnore]
    internal override bool Answers => false;

    [JsonIgnore]
    public override string Address => Service.Address;

    [JsonIgnore]
    public override IReadOnlyList<string> Tools => Service.Tools;

    public override Task<string?> ReadPlace(PlanContext context) => Service.Place(context);
    public override Task<string> Check(PlanContext context) => CheckRuns(Service, Name, context);

    internal static async Task<string> CheckRuns(Runtime service, string name, PlanContext context)
    {
        var state = await service.State(context);
        return state.Status != RuntimeStatus.Running ? throw StepFailedException.Transient($"{name} is {Words(state)}.")
            : state.Health is null or "healthy" ? Words(state)
            : throw StepFailedException.Transient($"{name} is {Words(state)}.");
    }

    internal static string Words(RuntimeState state) => string.Join(", ", new[]
    {
        state.Status.ToString().ToLowerInvariant(), state.Health, state is { Status: RuntimeStatus.Stopped, ExitCode: { } code } ? $"exit code {code}" : null, state.Detail,
    }.Where(w => !string.IsNullOrEmpty(w)));
}

[Target("process", "A service that is a plain process of this machine. It outlives the run.")]
public sealed record ProcessTarget : RunningTarget
{
    [Description("Executable and arguments that start it in the foreground.")]
    [Example("[redis-server, /etc/redis/redis.conf]")]
    public required IReadOnlyList<string> Start { get; init; }

    [Description("File that holds its process id; written by the engine when the service itself does not.")]
    [Example("/run/redis/redis.pid")]
    [FilePath]
    public required string PidFile { get; init; }

    [Description("The folder it starts in, and that identifies it.")]
    [Example("/var/lib/redis")]
    [FilePath]
    public required string Directory { get; init; }

    [Description("Where its output is appended.")]
    [FilePath]
    public string? Log { get; init; }

    [Description("Added to the environment.")]
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    [JsonIgnore]
    public override RuntimeOptions? Runtime
    {
        get => new() { Process = new() { Start = Start, PidFile = PidFile, Directory = Directory, Log = Log, Environment = Environment } };
        init { }
    }

    [JsonIgnore]
    internal override bool Answers => false;

    [JsonIgnore]
    public override string Address => Service.Address;

    [JsonIgnore]
    public override IReadOnlyList<string> Tools => Service.Tools;

    public override Task<string?> ReadPlace(PlanContext context) => Service.Place(context);
    public override Task<string> Check(PlanContext context) => ServiceTarget.CheckRuns(Service, Name, context);
}
