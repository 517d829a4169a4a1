using System.Text.Json.Serialization;

namespace Helix.Runbooks.Journal;

/// <summary>How sure it is who somebody is. Ordered: the account of the operating system, a password or token that the server checked, a signature, an identity provider.</summary>
public enum IdentityStrength { Os, Password, Signed, Oidc }

/// <summary>Somebody who did something: the account, and how it was authenticated (never <c>SUDO_USER</c> or a flag).</summary>
public sealed record Person(string Account, IdentityStrength Strength, string Via)
{
    /// <summary>The provider of names that every machine has.</summary>
    public const string Machines = "os";

    /// <summary>Who vouches for this person, and as whom: "os alice", "https://login.example.com 4711". Null: the machines, as the account.</summary>
    public IReadOnlyList<string>? Names { get; init; }

    /// <summary>Groups of approvers for which an identity provider vouches.</summary>
    public IReadOnlyList<string>? Groups { get; init; }

    /// <summary>A schedule or a trigger: nobody, unless somebody's token set it off.</summary>
    [JsonIgnore]
    public bool IsMachine => Names is null && Account.Contains(':', StringComparison.Ordinal);

    [JsonIgnore]
    public IReadOnlyList<string> Vouched => Names ?? (IsMachine ? [] : [$"{Machines} {Account}"]);

    /// <summary>All that this person may be called in a runbook or by git.</summary>
    [JsonIgnore]
    public IEnumerable<string> Called => Vouched.Select(n => n[(n.IndexOf(' ') + 1)..]).Append(Account).Distinct();

    public bool Equals(Person? other) => other is not null && (Account, Strength, Via) == (other.Account, other.Strength, other.Via)
        && (Names ?? []).SequenceEqual(other.Names ?? []) && (Groups ?? []).SequenceEqual(other.Groups ?? []);

    public override int GetHashCode() => HashCode.Combine(Account, Strength, Via);

    public override string ToString() => $"{Account} ({Strength.ToString().ToLowerInvariant()}, {Via})";
}

public enum Sameness { One, Two, Unknown }

/// <summary>Whether two accounts are two people. Certain only where one provider vouches for both: two names there are two people, one name is one.</summary>
public static class People
{
    public static Sameness Compare(Person a, Person b)
    {
        if (a.IsMachine || b.IsMachine)
            return a.Account == b.Account ? Sameness.One : Sameness.Two;
        if (a.Vouched.Intersect(b.Vouched).Any())
            return Sameness.One;
        return a.Vouched.Select(Provider).Intersect(b.Vouched.Select(Provider)).Any() ? Sameness.Two : Sameness.Unknown;
    }

    public static bool AreOne(Person a, Person b) => Compare(a, b) == Sameness.One;

    /// <summary>How many of these are people apart for certain.</summary>
    public static int Count(IReadOnlyList<Person> people) => Most(people, []);

    static int Most(IReadOnlyList<Person> left, IReadOnlyList<Person> taken)
    {
        if (left.Count == 0)
            return taken.Count;
        var (first, rest) = (left[0], left.Skip(1).ToList());
        var without = Most(rest, taken);
        return taken.All(t => Compare(t, first) == Sameness.Two) ? Math.Max(without, Most(rest, [.. taken, first])) : without;
    }

    static string Provider(string name) => name[..name.IndexOf(' ')];
}
