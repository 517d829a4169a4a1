using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Runs;

public sealed class EventMaskTests
{
    static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    static readonly RunEvent[] Samples =
    [
        new StepStarted("redis_stop", 1, "target.stop", new() { ["targets"] = new JsonArray("redis"), ["grace"] = 30 }, [TargetEffect.Interrupts("redis")]),
        new StepSaved("redis_stop", "stage", new JsonObject { ["root"] = "/root/redis", ["at"] = 1234 }),
        new StepSucceeded("fetch", new() { ["file"] = "/root/dump.rdb", ["size"] = 1234 }) { Files = [new("file", "db-1", "/root/dump.rdb", 1234, new string('a', 64))], Warning = "root was slow" },
        new StepFailed("load", 2, FailureClass.Transient, "NOAUTH for redis", "Give redis its password", Noon),
        new StepStarted("copy", 1, "file.copy", new() { ["to"] = "/root/redis", ["from"] = null }, [TargetEffect.Changes(null)]),
        new StepFailed("load", 2, FailureClass.Conflict, "redis is gone", null, null),
        new ResidueLeft("redis_stop", new() { Key = "stopped:redis", Kind = ResidueKind.Stopped, Target = "redis", What = "redis is stopped", Command = "docker start redis", Undo = new("target.start", new() { ["targets"] = new JsonArray("redis") }) }),
        new QuestionAsked { Question = "gate#1", Path = "gate", Kind = QuestionKind.Approval, Message = "redis is loaded as root", ShownHash = "abcdef012345", Shown = new() { ["why"] = "redis", ["covered"] = new JsonObject { ["load"] = new JsonObject { ["with"] = new JsonObject { ["target"] = "root" } } } }, Choices = ["approve", "reject"], ExpiresAt = Noon, Strength = IdentityStrength.Os },
        new PreflightDone([new("target redis", FindingKind.Warning, "redis answers as root", "a hint about redis")]),
        new ListFrozen("each", new JsonArray("redis", new JsonObject { ["redis"] = "root" })),
        new RunEnded(Outcome.Failed, "load of redis failed", new() { ["redis"] = "root" }) { Rta = TimeSpan.FromMinutes(3) },
    ];

    [Fact]
    public void A_password_that_is_also_a_name_masks_what_is_said_and_not_what_the_run_reads_back_or_is_held_together_by()
    {
        var masker = new Masker();
        masker.Add("redis");
        var started = (StepStarted)EventMask.Of(Samples[0], masker);
        Assert.Equal(("redis_stop", "redis", """{"targets":["redis"],"grace":30}"""), (started.Path, started.Effects.Single().Target, started.With.ToJsonString()));
        var left = ((ResidueLeft)EventMask.Of(Samples.OfType<ResidueLeft>().Single(), masker)).Residue;
        Assert.Equal(("stopped:redis", "*** is stopped", "docker start ***", """{"targets":["redis"]}"""), (left.Key, left.What, left.Command, left.Undo!.With.ToJsonString()));
        Assert.Equal("NOAUTH for ***", ((StepFailed)EventMask.Of(Samples[3], masker)).Message);
    }

    [Theory]
    [InlineData("root", true)]          // too short for a secret
    [InlineData("/root/dump", true)]    // written in the runbook
    [InlineData("dump.rdb", false)]     // of a length that people choose, and nowhere to be read
    [InlineData("/root/dump.rdb", false)] // written in the runbook, but too long for a word
    public void A_secret_is_let_through_only_where_the_run_reads_back_and_only_when_it_is_a_word(string secret, bool word)
    {
        var masker = new Masker { Plain = secret == "dump.rdb" ? "to: /root/dump" : "to: /root/dump.rdb" };
        Assert.Equal(!word, masker.Add(secret));
        var done = (StepSucceeded)EventMask.Of(Samples[2], masker);
        Assert.Equal(word, done.Outputs["file"]!.ToString() == "/root/dump.rdb");
        Assert.DoesNotContain(secret, masker.Mask("it is /root/dump.rdb"), StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_the_secret_the_event_stays_readable_and_what_it_says_holds_it_nowhere() =>
        (from sample in Gen.Int[0, Samples.Length - 1].Select(i => Samples[i])
         let text = JsonSerializer.Serialize(sample, StepJson.Options)
         from length in Gen.Int[1, 8]
         from at in Gen.Int[0, text.Length - 8]
         select (sample, secret: text.Substring(at, length))).Where(c => c.secret.All(char.IsAsciiLetterOrDigit)).Sample(c =>
        {
            var masker = new Masker();
            var guarded = masker.Add(c.secret);
            var masked = EventMask.Of(c.sample, masker);
            Assert.Equal(c.sample.GetType(), masked.GetType());
            Assert.Equal(PathOf(c.sample), PathOf(masked));
            Assert.All(guarded ? Said(masked).Concat(Kept(masked)) : Said(masked), s => Assert.DoesNotContain(c.secret, s, StringComparison.Ordinal));
            if (!guarded)
                Assert.Equal(Kept(c.sample), Kept(masked));
        }, iter: 3000);

    static object? PathOf(RunEvent e) => e.GetType().GetProperty("Path")?.GetValue(e);

    static IEnumerable<string> Said(RunEvent e) => e switch
    {
        StepSucceeded s => [s.Warning!],
        StepFailed s => [s.Message, s.Hint ?? ""],
        ResidueLeft s => [s.Residue.What, s.Residue.Command],
        QuestionAsked s => [s.Message],
        PreflightDone s => s.Findings.SelectMany(f => new[] { f.What, f.Hint! }),
        RunEnded s => [s.Reason],
        _ => [],
    };

    static IEnumerable<string> Kept(RunEvent e) => e switch
    {
        StepStarted s => Strings(s.With),
        StepSaved s => Strings(s.Value),
        StepSucceeded s => Strings(s.Outputs),
        ResidueLeft s => Strings(s.Residue.Undo!.With),
        QuestionAsked s => Strings(s.Shown),
        ListFrozen s => Strings(s.Items),
        RunEnded s => Strings(s.Outputs),
        _ => [],
    };

    static IEnumerable<string> Strings(JsonNode? node) => node switch
    {
        JsonObject map => map.SelectMany(p => Strings(p.Value)),
        JsonArray list => list.SelectMany(Strings),
        JsonValue value when value.GetValueKind() == JsonValueKind.String => [value.GetValue<string>()],
        _ => [],
    };
}
