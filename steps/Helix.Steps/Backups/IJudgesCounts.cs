namespace Helix.Steps.Backups;

/// <summary>A target that knows how much some of its counts may change from one backup to the next.</summary>
public interface IJudgesCounts
{
    /// <summary>By the name of the count: percent.</summary>
    IReadOnlyDictionary<string, int> MaxChanges { get; }
}
