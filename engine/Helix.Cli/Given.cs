using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Cli;

/// <summary>Arguments and options that several commands take, and how their text becomes a value.</summary>
static class Given
{
    public static Argument<string> Run(Session session)
    {
        var argument = new Argument<string>("RUN") { Description = "The id of the run, or how it begins." };
        argument.CompletionSources.Add(_ => KnownRuns(session));
        return argument;
    }

    public static Argument<string> Runbook() => new Argument<string>("RUNBOOK") { Description = "The file of the runbook, or its name below runbooks/." };

    public static Option<string> Environment(bool required = true) => new("--environment", "-e")
    {
        Description = "The file of the environment, or its name below runbooks/environments/.",
        HelpName = "FILE",
        Required = required,
    };

    public static Option<string[]> Inputs(string description = "A value for an input of the runbook. May be repeated.") => new("--input", "-i")
    {
        Description = description,
        HelpName = "NAME=VALUE",
        DefaultValueFactory = _ => [],
        Arity = ArgumentArity.ZeroOrMore,
        AllowMultipleArgumentsPerToken = false,
    };

    public static Option<string?> Reason(bool required, string description = "Why; it goes into the record.") =>
        new("--reason") { Description = description, HelpName = "TEXT", Required = required };

    public static Option<bool> Flag(string name, string description) => new(name) { Description = description };

    public static Option<string?> Text(string name, string help, string description) => new(name) { Description = description, HelpName = help };

    /// <exception cref="RunbookException">Not of the form NAME=VALUE, or given twice.</exception>
    public static JsonObject Pairs(string[]? given)
    {
        var inputs = new JsonObject();
        foreach (var text in given ?? [])
        {
            var (name, value) = text.Split('=', 2) is [var n, var v] && n.Length > 0
                ? (n, v)
                : throw new RunbookException($"'{text}' is not of the form NAME=VALUE.", "Write `--input backup=latest`.");
            if (!inputs.TryAdd(name, value))
                throw new RunbookException($"The input '{name}' is given twice.", "Give it once.");
        }
        return inputs;
    }

    /// <summary>A moment with its offset; one without would mean something else on another machine.</summary>
    public static DateTimeOffset? Moment(string? text, string option)
    {
        if (text is null)
            return null;
        return Helix.Runbooks.Steps.Moment.TryParse(text, out var moment)
            ? moment
            : throw new RunbookException($"'{text}' of {option} is no moment in time.", $"Write {Helix.Runbooks.Steps.Moment.Form}.");
    }

    /// <summary>Completion must answer at once and never complain.</summary>
    static IEnumerable<System.CommandLine.Completions.CompletionItem> KnownRuns(Session session)
    {
        try
        {
            return Helix.Runbooks.Journal.StorePlace.IsShared(session.StorePath) || File.Exists(session.StorePath) ? [.. session.Store.Runs(30).Select(r => new System.CommandLine.Completions.CompletionItem(r.Run))] : [];
        }
        catch (Exception)
        {
            return [];
        }
    }
}
