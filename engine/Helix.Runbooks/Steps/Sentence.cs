namespace Helix.Runbooks.Steps;

/// <summary>Words of others within sentences of ours.</summary>
public static class Sentence
{
    /// <summary>With a full stop, unless it ends a sentence already.</summary>
    public static string Ended(string text) => text.Length == 0 || text[^1] is '.' or '?' or '!' or '…' ? text : text + ".";
}
