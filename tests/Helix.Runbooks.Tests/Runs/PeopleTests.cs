using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Xunit;

namespace Helix.Runbooks.Tests.Runs;

/// <summary>Whether two accounts are two people: certain only where one provider vouches for both.</summary>
public sealed class PeopleTests
{
    static readonly Person Terminal = new("asmith", IdentityStrength.Os, "cli");
    static readonly Person Stranger = new("oidc:alice", IdentityStrength.Oidc, "web") { Names = ["https://login 4711"], Groups = ["dba"] };
    static readonly Person Known = new("alice", IdentityStrength.Oidc, "web") { Names = ["https://login 4711", "os asmith"], Groups = ["dba"] };
    static readonly Person Another = new("oidc:bob", IdentityStrength.Oidc, "web") { Names = ["https://login 4712"], Groups = ["dba"] };

    [Fact]
    public void One_name_at_one_provider_is_one_person_and_two_names_there_are_two()
    {
        Assert.Equal(Sameness.One, People.Compare(Terminal, Known));
        Assert.Equal(Sameness.One, People.Compare(Stranger, Known));
        Assert.Equal(Sameness.Two, People.Compare(Stranger, Another));
        Assert.Equal(Sameness.Two, People.Compare(Terminal, new Person("bob", IdentityStrength.Password, "web")));
        Assert.Equal(Sameness.Unknown, People.Compare(Terminal, Stranger));
        Assert.Equal(Sameness.Two, People.Compare(new Person("schedule:nightly", IdentityStrength.Os, "schedule"), Stranger));
        Assert.Equal(Sameness.One, People.Compare(new Person("trigger:disk", IdentityStrength.Password, "hook") { Names = ["os asmith"] }, Known));
    }

    [Fact]
    public void Only_people_who_are_apart_for_certain_count_as_several()
    {
        Assert.Equal(1, People.Count([Terminal, Known, Stranger]));
        Assert.Equal(1, People.Count([Terminal, Stranger]));
        Assert.Equal(2, People.Count([Terminal, Stranger, Another]));
        Assert.Equal(2, People.Count([Known, Another, Stranger]));
    }

    [Fact]
    public async Task Two_accounts_of_one_person_do_not_make_two_approvals()
    {
        using var h = new RunHarness();
        var waiting = await h.Run("""
            steps:
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"], minimum: 2 } }
              - { id: after, uses: world.write, with: { world: WORLD, line: after } }
            """);
        var run = waiting.State.Run;
        var signed = RunHarness.Bob with { Strength = IdentityStrength.Signed };
        Assert.True(h.Answer(run, signed, "approve").Accepted);
        var again = new Person("oidc:bob", IdentityStrength.Oidc, "web") { Names = ["https://login 1", "os bob"], Groups = ["dba"] };
        Assert.True(h.Answer(run, again, "approve").Accepted);
        Assert.Equal(4, (await h.Drive(run)).ExitCode);
        // The group is vouched for by the provider: the environment names no oidc:carol.
        var carol = new Person("oidc:carol", IdentityStrength.Oidc, "web") { Names = ["https://login 2", "os carol"], Groups = ["dba"] };
        Assert.True(h.Answer(run, carol, "approve").Accepted);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
        Assert.Equal(carol, h.Engine.State(run).Questions.Values.Single().Answers.Last().By);
    }

    [Fact]
    public async Task A_gate_may_demand_how_surely_it_is_known_who_approves()
    {
        Assert.Equal(System.Enum.GetNames<IdentityStrength>(), System.Enum.GetNames<Helix.Runbooks.Model.ApprovalStrength>());
        using var h = new RunHarness();
        var run = (await h.Run("""
            steps:
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"], strength: oidc } }
            """)).State.Run;
        var refused = h.Answer(run, RunHarness.Bob with { Strength = IdentityStrength.Signed }, "approve");
        Assert.False(refused.Accepted);
        Assert.Contains("wants an identity that is vouched for by an identity provider, and bob is proven by a signature", refused.Message, StringComparison.Ordinal);
        Assert.True(h.Answer(run, RunHarness.Bob with { Strength = IdentityStrength.Oidc }, "approve").Accepted);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
    }

    /// <summary>Bob approved alone.</summary>
    static async Task<string> BrokenGlass(RunHarness h)
    {
        var waiting = await h.Run("""
            steps:
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
            """);
        var run = waiting.State.Run;
        Assert.True(h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = "go", Choice = "approve", BreakGlass = true, Reason = "nobody there" }).Accepted);
        return run;
    }

    [Fact]
    public async Task Who_may_ratify_is_said_also_when_somebody_has_ratified_meanwhile()
    {
        using var h = new RunHarness();
        var run = await BrokenGlass(h);
        var state = h.Engine.State(run);
        var carol = new Person("carol", IdentityStrength.Password, "web");
        var why = Engine.WhyNotRatify(state, h.Engine.PlanOf(state), state.Unratified.Keys.Single());
        h.Engine.Ratify(run, carol, null, "it was right");
        foreach (var entry in h.Store.Read(run, state.LastSequence))
            state.Apply(entry);
        Assert.Empty(state.Unratified);
        Assert.Null(why(carol));
        Assert.Contains("broke the glass", why(RunHarness.Bob)!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_broke_the_glass_cannot_ratify_it_by_another_account()
    {
        using var h = new RunHarness();
        var run = await BrokenGlass(h);
        await h.Drive(run);
        var question = h.Engine.State(run).Unratified.Keys.Single();
        string? Why(Person by) => Engine.WhyNotRatify(h.Engine.State(run), h.Engine.PlanOf(h.Engine.State(run)), question)(by);
        Assert.Contains("broke the glass", Why(new Person("oidc:bob", IdentityStrength.Oidc, "web") { Names = ["https://login 1", "os bob"], Groups = ["dba"] })!, StringComparison.Ordinal);
        Assert.Contains("may be the person", Why(Stranger)!, StringComparison.Ordinal);
        Assert.Null(Why(new Person("carol", IdentityStrength.Password, "web")));
    }
}
