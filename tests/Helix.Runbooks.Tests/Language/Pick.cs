using CsCheck;

namespace Helix.Runbooks.Tests.Language;

static class Pick
{
    /// <summary>One of these values.</summary>
    public static Gen<T> Of<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);
}
