using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.RegularExpressions;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Commands;

/// <summary>"Errors ignored" is no success: each one must be known (DB-04).</summary>
public sealed record AllowedErrors
{
    [Description("Exit codes with which the tool says that it met errors and went on.")]
    [Example("[1]")]
    [MinLength(1)]
    public required IReadOnlyList<int> ExitCodes { get; init; }

    [Description("Which lines of its standard error are errors: a regular expression.")]
    public string Lines { get; init; } = "(?i)\\berror\\b";

    [Description("Regular expressions, one of which each of these lines must match.")]
    [Example("['role \"[a-z_]+\" does not exist']")]
    [MinLength(1)]
    public required IReadOnlyList<string> Allow { get; init; }

    /// <returns>What was allowed, for the record.</returns>
    /// <exception cref="StepFailedException">An error that nobody knows, or none that would explain the exit code.</exception>
    internal string Judge(ToolResult result)
    {
        var errors = result.Stderr.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(l => Matches(Lines, l)).ToList();
        if (result.ErrorsCut)
            throw StepFailedException.Partial($"It ended with exit code {result.ExitCode} and wrote more to its standard error than the 1 MiB that is kept: not all of its errors are known.", "Let it say less, or send its notes elsewhere.");
        if (errors.Count == 0)
            throw StepFailedException.Partial($"It ended with exit code {result.ExitCode} and named no error.", "Look at its output; `lines` says which lines are errors.");
        if (errors.Find(e => !Allow.Any(a => Matches(a, e))) is { } unknown)
            throw StepFailedException.Partial($"It ended with exit code {result.ExitCode} and an error that is not among those allowed: {unknown}", "Check what was lost. Only if it is harmless, add it to `allow`.");
        return $"It ended with exit code {result.ExitCode}; {(errors.Count == 1 ? "its error is one" : $"its {errors.Count} errors are those")} that the runbook allows.";
    }

    static bool Matches(string pattern, string line)
    {
        try
        {
            return Regex.IsMatch(line, pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        }
        catch (RegexParseException e)
        {
            throw new RunbookException($"'{pattern}' is no regular expression: {e.Message}");
        }
    }
}
