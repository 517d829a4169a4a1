using CsCheck;
using Helix.Runbooks.Journal;

namespace Helix.Runbooks.Tests.Faults;

/// <summary>Random runbooks whose drivers are killed one after the other at random places.</summary>
public sealed class CrashProperties
{
    const int Runbooks = 8;

    static readonly Gen<string> Place = Gen.Select(Gen.Int[1, 14], Gen.Bool, Gen.Int[0, 9], Gen.Bool, (append, before, step, intent) =>
        step < 3 ? $"point:{(intent ? "intent" : "effect")}:s{step}:1" : $"append:{append}:{(before ? "before" : "after")}");

    [Fact]
    public void A_run_whose_drivers_are_killed_again_and_again_ends_like_one_that_was_not() =>
        Gen.Select(Gen.Int[0, 1_000_000], Place.Array[1, 3]).Sample((seed, places) =>
        {
            var undisturbed = Ended(seed, []).GetAwaiter().GetResult();
            var killed = Ended(seed, places).GetAwaiter().GetResult();
            Assert.Empty(undisturbed.Faults);
            Assert.Empty(killed.Faults);
            Assert.Equal(undisturbed.Text, killed.Text);
        }, iter: Runbooks, threads: 2);

    static async Task<Ending> Ended(int seed, string[] places)
    {
        using var scene = new Scene("steps: []\n");
        File.AppendAllText(scene.Write("book.yaml", "apiVersion: helix.runbooks/v1\nname: book\ntitle: Random\n"), new RandomBook(seed, scene.World).Body());
        using var session = scene.Open();
        if (places.Length == 0)
            session.Start();
        foreach (var place in places)
        {
            using var driver = session.Run is { } run ? scene.Resume(run, place) : scene.Start(place);
            var (exit, said, errors) = await driver.End();
            Assert.True(exit is DriverProcess.Killed or 0 or 1 or 4, $"{place}: {exit} {said} {errors}");
            session.Answer();
        }
        await session.ToTheEnd();
        return Ending.Of(scene, session);
    }
}
