using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;
using Helix.Steps.Backups;

namespace Helix.Runbooks.Tests.Language;

/// <summary>A moment decides which backup is restored: read in another order it chooses one from after the breach.</summary>
public sealed class MomentTests
{
    [Theory]
    [InlineData("2026-03-05T02:00:00Z", "2026-03-05T02:00:00.0000000Z")]
    [InlineData("2026-03-05T02:00Z", "2026-03-05T02:00:00.0000000Z")]
    [InlineData("2026-03-05 02:00+01:00", "2026-03-05T01:00:00.0000000Z")]
    [InlineData("2026-03-05T02:00:00.5-05:30", "2026-03-05T07:30:00.5000000Z")]
    [InlineData("2026-03-05T02:00:00.123456789Z", "2026-03-05T02:00:00.1234567Z")]
    public void ISO_8601_with_an_offset_is_a_moment(string text, string moment)
    {
        Assert.True(Moment.TryParse(text, out var read));
        Assert.Equal(moment, read.UtcDateTime.ToString("O"));
        Assert.NotNull(InputBinder.Fit(InputType.Timestamp, JsonValue.Create(text), []));
        Assert.Equal(read, BackupSelector.Parse("before:" + text).Before);
        Assert.Equal(read, (DateTimeOffset)((JsonNode)Printed(text).Values["at"]!)!);
    }

    [Theory]
    [InlineData("05/03/2026")]
    [InlineData("05.03.2026 02:00Z")]
    [InlineData("2026-03-05")]
    [InlineData("2026-03-05T02:00:00")]
    [InlineData("2026-03-05T02:00.5Z")]
    [InlineData("2026-03-05T02:00:00.1234567891Z")]
    [InlineData("2026-02-30T02:00:00Z")]
    [InlineData("2026-03-05T02:00:00Z\n")]
    [InlineData("5 March 2026 02:00 +01:00")]
    public void Any_other_order_or_a_missing_offset_is_none(string text)
    {
        Assert.False(Moment.TryParse(text, out _));
        Assert.Null(InputBinder.Fit(InputType.Timestamp, JsonValue.Create(text), []));
        Assert.Contains("2026-03-01T03:00:00+01:00", Assert.Throws<RunbookException>(() => BackupSelector.Parse("before:" + text)).Hint, StringComparison.Ordinal);
        Assert.Contains("2026-03-01T03:00:00+01:00", Assert.Throws<StepFailedException>(() => Printed(text)).Hint, StringComparison.Ordinal);
    }

    /// <summary>By a command, as the output of a step.</summary>
    static DeclaredOutputs Printed(string text) => DeclaredValues.Read(
        new Dictionary<string, DeclaredOutput> { ["at"] = new() { Type = Steps.ValueType.Timestamp, From = "json:$.at" } }, new JsonObject { ["at"] = text }.ToJsonString(), "date");
}
