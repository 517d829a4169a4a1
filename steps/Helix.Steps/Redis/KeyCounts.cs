using System.Globalization;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Redis;

/// <summary>Keys of one database; <see cref="Expiring"/> of them have a time to live, so they may be gone at any later moment.</summary>
sealed record DatabaseCount(int Database, long Keys, long Expiring);

/// <summary>Keys per database. As outputs and in manifests: <c>db0: 10000, db0_expiring: 12</c>.</summary>
sealed record KeyCounts(IReadOnlyList<DatabaseCount> Databases)
{
    const string Suffix = "_expiring";

    public long Total => Databases.Sum(d => d.Keys);

    public static KeyCounts Of(RedisInfo info) => new([.. info.Rows("db")
        .Select(row => new DatabaseCount(row.Number, Parsed(row.Fields["keys"]), Parsed(row.Fields["expires"])))
        .OrderBy(d => d.Database)]);

    /// <exception cref="RunbookException">A name that is none of ours.</exception>
    public static KeyCounts Of(IReadOnlyDictionary<string, long> counts) => new([.. counts
        .Where(c => !c.Key.EndsWith(Suffix, StringComparison.Ordinal))
        .Select(c => new DatabaseCount(NumberOf(c.Key), c.Value, counts.GetValueOrDefault(c.Key + Suffix)))
        .OrderBy(d => d.Database)]);

    public Dictionary<string, long> ToOutputs()
    {
        var outputs = new Dictionary<string, long>();
        foreach (var count in Databases.Where(d => d.Keys > 0))
        {
            outputs[$"db{count.Database}"] = count.Keys;
            if (count.Expiring > 0)
                outputs[$"db{count.Database}{Suffix}"] = count.Expiring;
        }
        return outputs;
    }

    /// <summary>Differences in words. A key with a time to live may be missing; one more than expected is a difference.</summary>
    /// <param name="tolerance">The share of the expected keys by which a database may differ, 0 to 1.</param>
    public IEnumerable<string> DifferencesTo(KeyCounts expected, double tolerance = 0)
    {
        foreach (var number in Databases.Concat(expected.Databases).Select(d => d.Database).Distinct().Order())
        {
            var here = In(number);
            var there = expected.In(number);
            var allowed = (long)Math.Floor(there.Keys * tolerance);
            if (here.Keys < there.Keys - there.Expiring - allowed || here.Keys > there.Keys + allowed)
                yield return $"database {number} has {here.Keys:N0} keys and should have {there.Keys:N0}"
                    + (there.Expiring > 0 ? $" ({there.Expiring:N0} of them may have expired)" : "");
        }
    }

    DatabaseCount In(int number) => Databases.FirstOrDefault(d => d.Database == number) ?? new(number, 0, 0);

    static long Parsed(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    static int NumberOf(string name) =>
        name.StartsWith("db", StringComparison.Ordinal) && int.TryParse(name[2..], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new RunbookException($"'{name}' is no count of a Redis backup.", "Counts are named by database: db0, db1, and db0_expiring for keys with a time to live.");

    public override string ToString() =>
        Total == 0 ? "no keys" : string.Join(", ", Databases.Where(d => d.Keys > 0).Select(d => $"{d.Keys:N0} keys in database {d.Database}"));
}
