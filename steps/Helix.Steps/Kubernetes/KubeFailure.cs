using System.Text.RegularExpressions;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Kubernetes;

/// <summary>Every failure of kubectl has exit code 1: what it means is in its words.</summary>
static partial class KubeFailure
{
    static readonly (string Words, FailureClass Class, string? Hint)[] Known =
    [
        ("context was not found", FailureClass.Missing, "The context of the target is not in its kubeconfig."),
        ("context \"", FailureClass.Missing, "The context of the target is not in its kubeconfig."),
        ("(Unauthorized)", FailureClass.Auth, "The credentials of the context are refused: renew them."),
        ("You must be logged in", FailureClass.Auth, "The credentials of the context are refused: renew them."),
        ("(Forbidden)", FailureClass.Auth, "The account of the context lacks this right."),
        ("(NotFound)", FailureClass.Missing, null),
        ("not found in the namespace", FailureClass.Missing, null),
        ("doesn't have a resource type", FailureClass.Missing, null),
        ("no matches for kind", FailureClass.Missing, "The cluster does not know this kind, or not in this version."),
        ("Apply failed with", FailureClass.Conflict, "Somebody else manages these fields. If they shall be taken over, set force: true."),
        ("(Conflict)", FailureClass.Conflict, null),
        ("(AlreadyExists)", FailureClass.Conflict, null),
        ("does not match the namespace", FailureClass.InvalidData, "The manifest names another namespace than the target."),
        ("(Invalid)", FailureClass.InvalidData, null),
        (" is invalid: ", FailureClass.InvalidData, null),
        ("(BadRequest)", FailureClass.InvalidData, null),
        ("strict decoding error", FailureClass.InvalidData, null),
        ("error validating", FailureClass.InvalidData, null),
        ("error parsing", FailureClass.InvalidData, null),
        ("error converting YAML", FailureClass.InvalidData, null),
        ("the path \"", FailureClass.Missing, null),
        ("no such file or directory", FailureClass.Missing, null),
        ("executable file not found", FailureClass.Missing, "The image of the workload does not hold this command."),
    ];

    /// <param name="stderr">What kubectl said.</param>
    public static StepFailedException Of(string stderr, KubernetesTarget target, string? what = null)
    {
        var lines = stderr.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        // Its libraries log before it says itself what is wrong.
        var own = lines.Where(l => !LibraryLog().IsMatch(l)).DefaultIfEmpty(lines.LastOrDefault("it said nothing")).Take(8);
        var words = string.Join(" | ", own);
        var match = Known.FirstOrDefault(k => words.Contains(k.Words, StringComparison.Ordinal));
        return new(match.Words is null ? FailureClass.Transient : match.Class,
            $"{target.Context}/{target.Namespace}: {(what is null ? "" : $"{what}: ")}{(words.Length <= 1500 ? words : words[..1500] + "…")}", match.Hint);
    }

    [GeneratedRegex(@"^[EWIF]\d{4} \d\d:\d\d:")]
    private static partial Regex LibraryLog();
}
