using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Language;

// Step types and targets with one option of every shape, so that the language is tested without any system.

public sealed record SampleOptions
{
    [Description("The database."), TargetName("sample-database")]
    public required string Target { get; init; }

    public string? Text { get; init; }

    [Range(1, 10)]
    public int Count { get; init; } = 3;
    public double Share { get; init; }
    public bool Flag { get; init; }
    public Duration? Wait { get; init; }
    public ByteSize? Size { get; init; }
    public Mode? Mode { get; init; }
    public Secret? Password { get; init; }
    public Effect Kind { get; init; }
    public DateTimeOffset? At { get; init; }

    [MinLength(1, ErrorMessage = "{0} must name one.")]
    public IReadOnlyList<string> Arguments { get; init; } = ["one"];
    public IReadOnlyList<SampleCheck> Checks { get; init; } = [];
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
    public IReadOnlyDictionary<string, long>? Counts { get; init; }
    public JsonNode? Anything { get; init; }

    [NoTemplate("Pass values as variables, `env: { NAME: … }`, and write \"$NAME\" in the text.")]
    public string? Script { get; init; }

    [Fixed]
    public bool Volumes { get; init; }
}

public sealed record SampleCheck
{
    public required string Query { get; init; }
    public JsonNode? Expect { get; init; }
}

public sealed record SampleOutputs
{
    public required string File { get; init; }
    public long Bytes { get; init; }
    public string? Note { get; init; }
    public bool Fresh { get; init; }
    public DateTimeOffset RecoveryPoint { get; init; }
    public IReadOnlyList<string> Lines { get; init; } = [];
    public IReadOnlyDictionary<string, long> Counts { get; init; } = new Dictionary<string, long>();
    public Secret? Token { get; init; }
}

[Step("sample.read", "Reads.")]
public sealed class SampleRead : Step<SampleOptions, SampleOutputs>
{
    public override IEnumerable<TargetEffect> Effects(SampleOptions options) => [TargetEffect.Reads(options.Target)];
    public override Task<SampleOutputs> Run(SampleOptions options, StepContext context) => throw new NotSupportedException();
}

[Step("sample.destroy", "Destroys.")]
public sealed class SampleDestroy : Step<SampleOptions, SampleOutputs>
{
    public override IEnumerable<TargetEffect> Effects(SampleOptions options) =>
        [TargetEffect.Destroys(options.Target, "all of it") with { LoadsFrom = options.Text is null ? null : "text" }];
    public override Task<SampleOutputs> Run(SampleOptions options, StepContext context) => throw new NotSupportedException();
}

public sealed record SampleQueryOptions : IDeclaresOutputs
{
    public string Query { get; init; } = "";
    public IReadOnlyDictionary<string, DeclaredOutput> Outputs { get; init; } = new Dictionary<string, DeclaredOutput>();
}

[Step("sample.query", "Queries.", StatesEffect = true)]
public sealed class SampleQuery : Step<SampleQueryOptions, DeclaredOutputs>
{
    public override IEnumerable<TargetEffect> Effects(SampleQueryOptions options) => [];
    public override Task<DeclaredOutputs> Run(SampleQueryOptions options, StepContext context) => throw new NotSupportedException();
}

[Step("sample.tell", "Tells.", FailureIsWarning = true)]
public sealed class SampleTell : Step<SampleTellOptions, NoOutputs>
{
    public override IEnumerable<TargetEffect> Effects(SampleTellOptions options) => [];
    public override Task<NoOutputs> Run(SampleTellOptions options, StepContext context) => throw new NotSupportedException();
}

public sealed record SampleTellOptions
{
    public required string Message { get; init; }
}

[Target("sample-database", "A database.")]
public sealed record SampleDatabase : Target
{
    [Description("Where it listens."), Example("localhost:1")]
    public required string Endpoint { get; init; }
    public Secret? Password { get; init; }

    [FilePath]
    public string? Folder { get; init; }
    public override string Address => Endpoint;
}

[Target("sample-store", "A store.")]
public sealed record SampleStore : Target
{
    [TargetName("sample-database")]
    public string? Of { get; init; }
    public override string Address => "store";
}

/// <summary>Has whatever options the tests of rules need; does not carry the attribute, so no catalogue finds it.</summary>
public sealed class LooseStep : Step<LooseOptions, LooseOutputs>
{
    public override IEnumerable<TargetEffect> Effects(LooseOptions options) => [];
    public override Task<LooseOutputs> Run(LooseOptions options, StepContext context) => throw new NotSupportedException();
}

public sealed record LooseOptions
{
    [TargetName]
    public string? Target { get; init; }

    [TargetName]
    public IReadOnlyList<string> Targets { get; init; } = [];

    [NoTemplate]
    public string? Script { get; init; }
    public string? Query { get; init; }
    public IReadOnlyList<string> Command { get; init; } = [];
    public IReadOnlyDictionary<string, string> Values { get; init; } = new Dictionary<string, string>();
    public Secret? Token { get; init; }
}

public sealed record LooseOutputs
{
    public JsonObject Data { get; init; } = [];
    public string Body { get; init; } = "";
}

static class Sample
{
    /// <summary>Stand-ins under the names that rules know, so that a rule's test needs no system.</summary>
    static readonly string[] Loose = ["shell.run", "target.exec", "target.stop", "target.start", "neo4j.query", "redis.save", "kubernetes.secret", "vault.read", "vault.restore"];

    public static readonly StepCatalog Catalog = new(new StepCatalog(typeof(Sample).Assembly),
        Loose.Select(name => new StepType(name, new StepAttribute(name, "A stand-in."), new LooseStep())));

    public static ReadResult<Runbook> Read(string yaml, Model.Environment? environment = null, params (string Path, string Text)[] files) =>
        Read(Encoding.UTF8.GetBytes(yaml), environment, files);

    public static ReadResult<Runbook> Read(byte[] yaml, Model.Environment? environment = null, params (string Path, string Text)[] files) =>
        new RunbookReader(Catalog).Read("sample.yaml", yaml,
            path => files.Where(f => f.Path == path).Select(f => Encoding.UTF8.GetBytes(f.Text)).FirstOrDefault(), environment);

    public static ReadResult<Model.Environment> ReadEnvironment(string yaml) =>
        new EnvironmentReader(Catalog).Read("/somewhere/environment.yaml", Encoding.UTF8.GetBytes(yaml));
}
