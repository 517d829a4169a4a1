using System.Text.RegularExpressions;
using Helix.Runbooks.Model.Yaml;

namespace Helix.Runbooks.Model;

/// <summary>How things are named.</summary>
static partial class Names
{
    public const string IdPattern = "^[a-z][a-z0-9_]*$";
    public const string KebabPattern = "^[a-z0-9]+(-[a-z0-9]+)*$";

    public static bool IsId(string text) => Id().IsMatch(text);
    public static bool IsKebab(string text) => Kebab().IsMatch(text);

    /// <summary>What to write instead of something that is no id.</summary>
    public static string IdHint(string text) => text.Contains('-', StringComparison.Ordinal)
        ? $"Write '{Mend(text)}': a hyphen would be a minus in an expression."
        : $"Write '{Mend(text)}': a small letter, then small letters, digits and _.";

    public static string KebabHint(string text) => $"Write '{Mend(text).Replace('_', '-')}': small letters, digits and hyphens.";

    /// <summary>Who names a document by its file and who goes by the name that it has must mean the same one.</summary>
    public static void CheckFile(ProblemList problems, string path, MapNode map, string what)
    {
        var isFile = Path.GetExtension(path) is ".yaml" or ".yml";
        if (isFile && map["name"] is ScalarNode name && IsKebab(name.Text) && name.Text != Path.GetFileNameWithoutExtension(path))
            problems.Error("file-name", name.Position, $"The {what} is named '{name.Text}', and its file '{Path.GetFileName(path)}'.", "Name and file name are the same.");
    }

    static string Mend(string text)
    {
        var mended = Other().Replace(text.ToLowerInvariant(), "_").Trim('_');
        return mended.Length == 0 ? "step" : char.IsDigit(mended[0]) ? "n" + mended : mended;
    }

    [GeneratedRegex(IdPattern)]
    private static partial Regex Id();

    [GeneratedRegex(KebabPattern)]
    private static partial Regex Kebab();

    [GeneratedRegex("[^a-z0-9_]+")]
    private static partial Regex Other();
}
