namespace Helix.Runbooks.Steps;

/// <summary>Marks an option in which <c>{{</c> is refused: values reach it another way (a script gets them as environment variables).</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class NoTemplateAttribute : Attribute;

/// <summary>Marks an option of a target (text, or list of text) that names a file or folder here: a relative one starts at the folder of the environment file, and the reader makes it absolute.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class FilePathAttribute : Attribute;
