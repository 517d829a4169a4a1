using System.Text.RegularExpressions;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model.Expressions;

namespace Helix.Runbooks.Tests.House;

/// <summary>What may know what.</summary>
public sealed partial class ArchitectureTests
{
    /// <summary>Folders of the library in order of dependency: each uses those before it only.</summary>
    static readonly string[] Layers = ["Steps", "Model", "Plans", "Journal", "Runs", "Reports"];

    /// <summary>Where a step type reaches the outside other than by its context, and why.</summary>
    static readonly Dictionary<string, string> Allowed = new()
    {
        ["steps/Helix.Steps/Messages/MailDelivery.cs"] = "MailKit's client speaks SMTP; its address comes from the target",
        ["steps/Helix.Steps/Redis/RedisConnection.cs"] = "asks whether anybody listens, which the Redis client takes its whole time-out to find out",
    };

    /// <summary>Where real time is meant, and why.</summary>
    static readonly Dictionary<string, string> RealTime = new()
    {
        ["engine/Helix.Cli/Program.cs"] = "here time enters",
        ["steps/Helix.Steps/Backups/DirectoryStore.cs"] = "waits for another process to give a file lock back, which it does in real time",
    };

    [Fact]
    public void A_folder_of_the_library_uses_only_those_before_it()
    {
        var wrong = Source.CSharp("engine").Where(f => f.StartsWith("engine/Helix.Runbooks/", StringComparison.Ordinal))
            .SelectMany(f => Source.Lines(f).Select((text, i) => (f, text, i)))
            .Where(l => !l.text.TrimStart().StartsWith("//", StringComparison.Ordinal))
            .SelectMany(l => Named().Matches(l.text).Select(m => (l.f, l.i, l.text, Own: Rank(l.f.Split('/')[2]), Used: Rank(m.Groups[1].Value))))
            .Where(l => l.Used > l.Own)
            .Select(l => $"{l.f}:{l.i + 1}: {l.text.Trim()}");
        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_folder_of_the_library_has_its_place_in_the_order() =>
        Assert.Empty(Source.CSharp("engine").Where(f => f.StartsWith("engine/Helix.Runbooks/", StringComparison.Ordinal)).Select(f => f.Split('/')[2]).Distinct().Except(Layers));

    [Fact]
    public void Steps_know_nothing_of_the_engine_but_what_step_authors_see() =>
        Assert.Empty(Source.CSharp("steps").Matching(BeyondSteps()));

    [Fact]
    public void The_library_knows_no_step_no_command_line_and_no_web() =>
        Assert.Empty(Source.CSharp("engine").Where(f => f.StartsWith("engine/Helix.Runbooks/", StringComparison.Ordinal)).Matching(AboveTheLibrary()));

    [Fact]
    public void Steps_reach_processes_and_the_network_through_their_context_only() =>
        Assert.Empty(Source.CSharp("steps").Where(f => !Allowed.ContainsKey(f)).Matching(Raw()));

    /// <summary>To expressions what was interrupted has failed: that word is for people only.</summary>
    [Fact]
    public void The_model_has_the_words_of_the_journal_for_the_status_of_a_step() =>
        Assert.Equal(Enum.GetNames<StepStatus>().Where(n => n != nameof(StepStatus.Interrupted)).Select(n => n.ToLowerInvariant()), Visible.Status.Values);

    [Fact]
    public void An_exception_to_that_still_needs_to_be_one() =>
        Assert.All(Allowed.Keys, f => Assert.NotEmpty(new[] { f }.Matching(Raw())));

    [Fact]
    public void The_clock_is_asked_in_one_place_only() =>
        Assert.Empty(Source.CSharp("engine", "steps").Matching(SystemClock()).Where(l => !RealTime.ContainsKey(l.Split(':')[0]) && !IsDefault(l)));

    /// <summary>A default of a setting that the engine always gives.</summary>
    static bool IsDefault(string line) => line.Contains("{ get; init; } = TimeProvider.System;", StringComparison.Ordinal);

    /// <summary>See <see cref="Http.StubListener"/>.</summary>
    [Fact]
    public void A_stub_does_not_listen_with_what_ends_when_somebody_connects_too_early() =>
        Assert.Empty(Source.CSharp("tests").Matching(EarlyEnd()));

    static int Rank(string layer) => Array.IndexOf(Layers, layer);

    // In using lines, in full names, and in names relative to the common namespace.
    [GeneratedRegex(@"(?:Helix\.Runbooks\.|(?<![\w.""]))(Model|Plans|Journal|Runs|Reports)(?=\.[A-Z]|;)")]
    private static partial Regex Named();

    [GeneratedRegex(@"Helix\.Runbooks\.(?!Steps\b)|Helix\.(Cli|Server)\b")]
    private static partial Regex BeyondSteps();

    [GeneratedRegex(@"Helix\.(Steps|Cli|Server)\b|Console\.|Microsoft\.AspNetCore")]
    private static partial Regex AboveTheLibrary();

    [GeneratedRegex(@"Process\.Start\b|new Process\b|ProcessStartInfo|new HttpClient\b|SocketsHttpHandler|HttpClientHandler|new (Tcp|Udp|Smtp|Imap|Ftp)(Client|Listener)\b|new Socket\b|HttpListener|WebRequest\.|CliWrap")]
    private static partial Regex Raw();

    [GeneratedRegex(@"\bHttpListener \w+ = new|new HttpListener\(")]
    private static partial Regex EarlyEnd();

    [GeneratedRegex(@"TimeProvider\.System|Stopwatch\.|Environment\.TickCount")]
    private static partial Regex SystemClock();
}
