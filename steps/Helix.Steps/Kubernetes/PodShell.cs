using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Kubernetes;

/// <summary>Runs commands in one container of one pod; the exit code is the command's own, and bytes stay bytes.</summary>
sealed partial class PodShell(Kubectl kubectl, string pod, string? container)
{
    // Values go in through standard input: arguments are visible here and in the cluster's audit log.
    const string ReadVariables = """while IFS= read -r v && [ -n "$v" ]; do export "$v"; done; """;

    public string Name => $"{kubectl.Target.Namespace}/{pod}";

    /// <summary>A call for our own ends: quiet, in the step's own time.</summary>
    public Tool Call(PlanContext context, params IReadOnlyList<string> command) => Feed(context, null, command);

    public Tool Feed(PlanContext context, Stream? input, params IReadOnlyList<string> command) =>
        Complete(new(context.Tool(command[0], command.Skip(1)).Quietly() with { Input = input }, []), command);

    public Tool Complete(InnerCall inner, IReadOnlyList<string> command)
    {
        var (tool, line) = (inner.Tool, command);
        var script = (inner.Variables.Count > 0 ? ReadVariables : "") + (tool.WorkingDirectory is null ? "" : "cd \"$1\" || exit 126; shift; ");
        if (script.Length > 0)
            line = ["sh", "-c", script + "exec \"$@\"", "sh", .. tool.WorkingDirectory is { } folder ? new[] { folder } : [], .. command];
        var input = inner.Variables.Count > 0 ? new PrefixedInput(Variables(inner), tool.Input ?? Stream.Null) : tool.Input;
        string[] into = container is null ? [] : ["-c", container];
        string[] stdin = input is null ? [] : ["-i"];
        return tool with
        {
            Launcher = new Judged(tool.Launcher, kubectl.Target, $"{command[0]} in {Name}"),
            File = "kubectl",
            Arguments = [.. kubectl.Global, "exec", .. stdin, pod, .. into, "--", .. line],
            Environment = tool.Environment.Where(e => !inner.Variables.Contains(e.Key)).ToDictionary(),
            Input = input,
            WorkingDirectory = null,
        };
    }

    static byte[] Variables(InnerCall inner)
    {
        var text = new StringBuilder();
        foreach (var name in inner.Variables)
            text.Append(inner.Tool.Environment[name] is { } value && !value.Contains('\n', StringComparison.Ordinal)
                ? $"{name}={value}\n"
                : throw new RunbookException($"The variable {name} has more than one line and cannot be given to a command in a pod.", "Copy it there as a file."));
        return Encoding.UTF8.GetBytes(text.Append('\n').ToString());
    }

    /// <summary>Tells the end of the command from a failure of kubectl itself, which is exit code 1, too.</summary>
    sealed partial class Judged(ToolLauncher inner, KubernetesTarget target, string what) : ToolLauncher
    {
        public override async Task<ToolResult> Run(Tool tool)
        {
            var result = await inner.Run(tool.Accept([.. Enumerable.Range(0, 256)]));
            if (result.ExitCode == 0)
                return tool.Accepted.Contains(0) ? result : throw new StepFailedException(FailureClass.Transient, $"{what} ended with exit code 0, which is not expected.");
            if (Terminated().Match(result.Stderr) is not { Success: true } end)
                throw KubeFailure.Of(result.Stderr, target, what);
            var code = int.Parse(end.Groups[1].Value, CultureInfo.InvariantCulture);
            var stderr = Terminated().Replace(result.Stderr, "").TrimEnd();
            if (tool.Accepted.Contains(code))
                return result with { ExitCode = code, Stderr = stderr };
            throw new StepFailedException(code is 126 or 127 ? FailureClass.Missing : FailureClass.Transient,
                $"{what} ended with exit code {code}{(stderr.Length > 0 ? $": {Tail(stderr)}" : ".")}", code is 126 or 127 ? "The image may not hold this command." : null);
        }

        static string Tail(string text) => string.Join(" | ", text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).TakeLast(5));

        [GeneratedRegex(@"^command terminated with exit code (\d+).*$", RegexOptions.Multiline)]
        private static partial Regex Terminated();
    }
}
