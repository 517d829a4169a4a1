namespace Helix.Runbooks.Tests;

/// <summary>Where this repository lies, seen from the built tests.</summary>
static class Repository
{
    public static string Root { get; } = Above(AppContext.BaseDirectory);

    /// <summary>A file of the shipped runbooks.</summary>
    public static string Runbooks(params string[] path) => Path.Combine([Root, "runbooks", .. path]);

    static string Above(string folder) => File.Exists(Path.Combine(folder, "Helix.Runbooks.sln")) ? folder : Above(Path.GetDirectoryName(folder)!);
}
