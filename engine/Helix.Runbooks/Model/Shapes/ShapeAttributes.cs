namespace Helix.Runbooks.Model.Shapes;

/// <summary>A scalar in place of this record stands for one of its members: <c>timeout: 30m</c>.</summary>
[AttributeUsage(AttributeTargets.Class)]
sealed class ShortForAttribute(string member) : Attribute
{
    public string Member { get; } = member;
}

/// <summary>A type that only marks a place in a document that its reader understands.</summary>
[AttributeUsage(AttributeTargets.Class)]
sealed class BlockAttribute(BlockKind kind) : Attribute
{
    public BlockKind Kind { get; } = kind;
}
