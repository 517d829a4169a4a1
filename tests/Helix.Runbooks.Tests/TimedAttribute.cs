using Xunit.v3;

namespace Helix.Runbooks.Tests;

/// <summary>It must hold within a time on a machine that has the time for it: such tests run after the others, alone.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
sealed class TimedAttribute : Attribute, ITraitAttribute
{
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [KeyValuePair.Create("timed", "alone")];
}
