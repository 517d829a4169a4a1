using Helix.Runbooks.Model.Yaml;

namespace Helix.Runbooks.Model.Schedules;

/// <summary>Times in which nothing starts by itself, and why.</summary>
public sealed record FreezeWindow
{
    public required string Name { get; init; }
    public required string Reason { get; init; }
    public required FreezePolicy Then { get; init; }

    /// <summary>Empty: all.</summary>
    public required IReadOnlyList<string> Schedules { get; init; }

    /// <summary>Once, from one moment until another.</summary>
    public (DateTimeOffset From, DateTimeOffset Until)? Once { get; init; }

    /// <summary>Or again and again, for so long each time.</summary>
    public (Rhythm Rhythm, TimeSpan For)? Again { get; init; }

    /// <summary>It concerns these schedules, and every one that removes backups: in a freeze nothing goes that may be needed.</summary>
    public bool Concerns(Schedule schedule) => Schedules.Count == 0 || Schedules.Contains(schedule.Name) || schedule.Prunes;

    /// <summary>When the window ends that is open at this moment; null: none is.</summary>
    public DateTimeOffset? OpenUntil(DateTimeOffset moment)
    {
        if (Once is { } once)
            return moment >= once.From && moment < once.Until ? once.Until : null;
        var (rhythm, span) = Again!.Value;
        var begins = rhythm.After(moment - span).TakeWhile(t => t <= moment).ToList();
        return begins.Count > 0 && begins[^1] + span > moment ? begins[^1] + span : null;
    }
}

/// <summary>From the fields of a freeze to a sound one.</summary>
sealed class FreezeReader(ProblemList problems)
{
    /// <param name="schedules">Names that it may name.</param>
    public FreezeWindow? Read(ScalarNode name, MapNode map, FreezeFields fields, TimeZoneInfo? zone, IReadOnlyCollection<string> schedules)
    {
        var errors = problems.Errors;
        foreach (var named in (map["schedules"] as ListNode)?.Items.OfType<ScalarNode>() ?? [])
            if (!schedules.Contains(named.Text))
                problems.Error("unknown-schedule", named.Position, $"There is no schedule '{named.Text}' in this file.", Suggestion.Hint(named.Text, schedules, "Schedules"));
        var once = Once(map, fields);
        var again = once is null ? Again(map, fields, zone) : null;
        if (once is null && again is null && problems.Errors == errors)
            problems.Error("freeze", map.Position, $"The freeze '{name.Text}' has no time.", "Give `from` and `until`, or `cron` and `for`.");
        return problems.Errors > errors || (once is null && again is null) ? null : new FreezeWindow
        {
            Name = name.Text,
            Reason = fields.Reason ?? "",
            Then = fields.Then ?? FreezePolicy.Hold,
            Schedules = fields.Schedules ?? [],
            Once = once,
            Again = again,
        };
    }

    (DateTimeOffset, DateTimeOffset)? Once(MapNode map, FreezeFields fields)
    {
        if (fields.From is null && fields.Until is null)
            return null;
        if (fields.From is not { } from || fields.Until is not { } until)
            problems.Error("freeze", map.Position, "A freeze with `from` has `until` too.", "Name both moments.");
        else if (from >= until)
            problems.Error("freeze", map["until"]!.Position, "The freeze ends before it begins.");
        else if (fields.Cron is not null || fields.For is not null)
            problems.Error("freeze", (map["cron"] ?? map["for"])!.Position, "A freeze comes once, with `from` and `until`, or again and again, with `cron` and `for`.", "Keep one of both.");
        else
            return (from, until);
        return null;
    }

    (Rhythm, TimeSpan)? Again(MapNode map, FreezeFields fields, TimeZoneInfo? zone)
    {
        if (fields.Cron is null && fields.For is null)
            return null;
        if (fields.Cron is not { } text || fields.For is not { } span || span.Value <= TimeSpan.Zero)
        {
            problems.Error("freeze", map.Position, "A freeze that comes again has `cron` and `for`.", "`cron` says when it begins, `for` how long it lasts.");
            return null;
        }
        if (CronDialect.Read(text, out var fault, out var hint) is { } cron)
            return zone is null ? null : (new Rhythm(text, cron, zone, DstPolicy.Once), span.Value);
        problems.Error("cron", map["cron"]!.Position, fault, hint);
        return null;
    }
}

public enum FreezePolicy
{
    /// <summary>What became due starts once when the freeze ends.</summary>
    Hold,
    Skip,
}
