using System.Text.Json.Nodes;

namespace Helix.Runbooks.Model.Shapes;

/// <summary>The one description of what a value may be, derived from C# types. Reader, schema, explain and expressions use it.</summary>
abstract record Shape
{
    /// <summary>With an article, for messages: "a number".</summary>
    public abstract string Words { get; }

    public static readonly Shape Text = new TextShape();
    public static readonly Shape Number = new NumberShape(Whole: false);
    public static readonly Shape Integer = new NumberShape(Whole: true);
    public static readonly Shape Boolean = new BooleanShape();
    public static readonly Shape Any = new AnyShape();
    public static readonly Shape Secret = new SecretShape();
}

sealed record TextShape : Shape
{
    public override string Words => "text";
}

sealed record NumberShape(bool Whole) : Shape
{
    public override string Words => Whole ? "a whole number" : "a number";
}

sealed record BooleanShape : Shape
{
    public override string Words => "true or false";
}

sealed record EnumShape(IReadOnlyList<string> Values) : Shape
{
    public override string Words => $"one of {string.Join(", ", Values)}";
    public bool Equals(EnumShape? other) => other is not null && Values.SequenceEqual(other.Values);
    public override int GetHashCode() => Values.Count;
}

/// <summary>A value written as text of a fixed form: a duration, a size, a file mode, a time.</summary>
sealed record FormShape(Type Type, string Form, string? Pattern, Func<string, bool> Fits, string Sample) : Shape
{
    public override string Words => Form;
    public bool Equals(FormShape? other) => other?.Type == Type;
    public override int GetHashCode() => Type.GetHashCode();
}

sealed record SecretShape : Shape
{
    public override string Words => "a reference to a secret";
}

sealed record ListShape(Shape Element) : Shape
{
    public override string Words => "a list";
}

/// <summary>Names of the author's choice to values of one shape.</summary>
sealed record MapShape(Shape Value) : Shape
{
    public override string Words => "a map";
}

sealed record AnyShape : Shape
{
    public override string Words => "a value";
}

/// <summary>Named members. Made from a C# record, or from what a runbook declares.</summary>
sealed record RecordShape(string Name) : Shape
{
    readonly Lazy<IReadOnlyDictionary<string, Member>> _members = new(() => new Dictionary<string, Member>());

    /// <summary>Null for one that a runbook declares.</summary>
    public Type? Type { get; init; }
    public IReadOnlyDictionary<string, Member> Members => _members.Value;

    /// <summary>Filled when first looked at, since types may hold themselves.</summary>
    public Lazy<IReadOnlyDictionary<string, Member>> Lazily { init => _members = value; }

    /// <summary>Other members may exist that nobody can know before.</summary>
    public bool Open { get; init; }

    /// <summary>A scalar in place of the map stands for this member alone.</summary>
    public string? ShortFor { get; init; }

    public override string Words => ShortFor is null ? "a map" : $"{Members[ShortFor].Shape.Words}, or a map";

    public static RecordShape Of(string name, IEnumerable<Member> members, bool open = false)
    {
        var all = members.ToDictionary(m => m.Name);
        return new RecordShape(name) { Lazily = new(() => all), Open = open };
    }

    public bool Equals(RecordShape? other) => ReferenceEquals(this, other);
    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal);
}

/// <summary>What only the reader of runbooks and environments understands: a list of steps, the branches of a parallel, options, targets.</summary>
sealed record BlockShape(BlockKind Kind) : Shape
{
    public override string Words => Kind switch
    {
        BlockKind.Items => "a list of steps",
        BlockKind.Branches => "a list of lists of steps",
        _ => "a map",
    };
}

enum BlockKind { Items, Branches, Options, Targets }

/// <summary>A member of a record: one option, one field, one output.</summary>
sealed record Member(string Name, Shape Shape)
{
    readonly Lazy<bool> _nullable = new(false);
    readonly Lazy<JsonNode?> _default = new((JsonNode?)null);

    public bool Required { get; init; }
    public bool Nullable => _nullable.Value;
    public Lazy<bool> NullableLazily { init => _nullable = value; }
    public string? Description { get; init; }

    /// <summary>An example as YAML text.</summary>
    public string? Example { get; init; }

    /// <summary>The example of the whole shows it also where it is not required.</summary>
    public bool Shown { get; init; }
    public JsonNode? Default { get => _default.Value; init => _default = new(value); }
    public Lazy<JsonNode?> DefaultLazily { init => _default = value; }

    /// <summary>Not null: names a target; empty: of any kind.</summary>
    public IReadOnlyList<string>? TargetKinds { get; init; }

    /// <summary>May use inputs and vars only.</summary>
    public bool Fixed { get; init; }

    /// <summary>Not null: takes no expressions, and this is how values reach it instead.</summary>
    public string? InsteadOfTemplate { get; init; }
    public bool NoTemplate => InsteadOfTemplate is not null;

    /// <summary>Names a file; relative ones start at the folder of the file that says so.</summary>
    public bool FilePath { get; init; }
    public double? Minimum { get; init; }
    public double? Maximum { get; init; }
    public int? MinLength { get; init; }
    public int? MaxLength { get; init; }
    public string? Pattern { get; init; }
    public MemberRules? Rules { get; init; }
}
