namespace Helix.Runbooks.Steps;

/// <summary>Marks an option in which <c>{{</c> is refused: values reach it another way (a script gets them as environment variables).</summary>
/// <param name="instead">The hint of the refusal: which way that is; null: there is none.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class NoTemplateAttribute(string? instead = null) : Attribute
{
    public string Instead { get; } = instead ?? "Write the value itself.";
}

/// <summary>Marks an option of a target (text, or list of text) that names a file or folder here: a relative one starts at the folder of the environment file, and the reader makes it absolute.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class FilePathAttribute : Attribute;
