using System.Collections.Concurrent;

namespace Helix.Runbooks.Model.Expressions;

/// <summary>A template as a sequence of text and expressions.</summary>
sealed record ParsedTemplate(IReadOnlyList<TemplatePart> Parts, TemplateFault? Fault)
{
    const int MostKept = 20_000;
    static readonly ConcurrentDictionary<string, ParsedTemplate> Known = new(StringComparer.Ordinal);

    /// <summary>The expression, when the template is one and nothing beside it.</summary>
    public Expr? Whole => Parts is [{ Expression: { } only }] ? only : null;

    /// <summary>Null unless the template is one path, which keeps its type.</summary>
    public Expr? Path => Whole is { } whole && whole.IsPath() ? whole : null;

    /// <summary>Parsed once per text, and kept.</summary>
    public static ParsedTemplate Of(string text)
    {
        if (Known.TryGetValue(text, out var known))
            return known;
        if (Known.Count > MostKept)
            Known.Clear();
        return Known[text] = new TemplateParser(text).Parse();
    }
}

/// <summary>Either text or an expression.</summary>
readonly record struct TemplatePart(string? Text, Expr? Expression);

/// <summary>What is wrong at an offset of a template.</summary>
sealed record TemplateFault(int Offset, string Rule, string Message, string? Hint = null);
