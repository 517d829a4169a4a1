using System.Text.RegularExpressions;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Targets;

/// <summary>Another machine, entered by ssh. Never asks: keys and known hosts are those of the account, or of <paramref name="Config"/>.</summary>
sealed partial record SshHost(string Address, string? Config)
{
    const string Mark = "helix:answer";

    /// <exception cref="RunbookException">Not of the form ssh://user@host:port.</exception>
    public static SshHost Of(string target, string address, string? config) => AddressForm().IsMatch(address) ? new(address, config)
        : throw new RunbookException($"The host of target '{target}' is '{address}', and a process is reached by ssh only.", "Write it as ssh://user@host or ssh://user@host:2222.");

    /// <summary>For messages and places: the name without user and port.</summary>
    public string Name => AddressForm().Match(Address).Groups["host"].Value;

    public string ShellPrefix => $"ssh {(Config is null ? "" : $"-F {Shell.Quoted(Config)} ")}{Address} ";

    /// <summary>A command there, in a folder. The values of <paramref name="variables"/> travel inside the connection, never in an argument list.</summary>
    public Tool Call(PlanContext context, string? folder, IReadOnlyCollection<string> variables, params IReadOnlyList<string> command)
    {
        // A server that does not take a variable would run the command without it: the command checks before it begins.
        var wanted = string.Concat(variables.Select(v => $"[ -n \"${{{v}+x}}\" ] || {{ echo 'the ssh server does not take the variable {v} (AcceptEnv)' >&2; exit 255; }}; "));
        var remote = wanted + (folder is null ? "" : $"cd {Shell.Quoted(folder)} && ") + "exec " + string.Join(' ', command.Select(Shell.Quoted));
        return context.Tool("ssh", [.. Config is null ? [] : new[] { "-F", Config }, "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15",
            .. variables.SelectMany(v => new[] { "-o", $"SendEnv={v}" }), Address, "--", remote]);
    }

    /// <summary>A script of the POSIX shell there, with its arguments.</summary>
    public Tool Script(PlanContext context, string script, params IEnumerable<string> arguments) => Call(context, null, [], ["/bin/sh", "-c", $"echo; echo {Mark}\n{script}", "sh", .. arguments]);

    /// <summary>What a script printed, without what the account's own shell says before it, as an echo in .bashrc.</summary>
    /// <exception cref="StepFailedException">Transient: the script has not said anything.</exception>
    public async Task<string> Answer(Tool script)
    {
        var said = (await Ask(script)).Stdout;
        return said.IndexOf($"\n{Mark}\n", StringComparison.Ordinal) is >= 0 and var at ? said[(at + Mark.Length + 2)..]
            : throw StepFailedException.Transient($"{Name} runs something else than it was asked to, and answers: {LastLine(said)}", $"Try it by hand: {ShellPrefix}true");
    }

    /// <summary>Ssh itself fails with 255: the machine was not reached, and nothing is known of the command.</summary>
    public async Task<ToolResult> Ask(Tool call)
    {
        var result = await call.Accept([.. Enumerable.Range(0, 256)]).Quietly().Run();
        return result.ExitCode switch
        {
            0 => result,
            255 => throw StepFailedException.Transient($"{Name} cannot be reached by ssh: {LastLine(result.Stderr)}", $"Try it by hand: {ShellPrefix}true"),
            _ => throw StepFailedException.Transient($"On {Name}: {LastLine(result.Stderr + result.Stdout)} (exit code {result.ExitCode})."),
        };
    }

    static string LastLine(string text) => text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "no word of why";

    [GeneratedRegex(@"^ssh://([A-Za-z0-9_.-]+@)?(?<host>[A-Za-z0-9][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:]+\])(:\d+)?$")]
    private static partial Regex AddressForm();
}

/// <summary>Text as one word of the POSIX shell.</summary>
static class Shell
{
    public static string Quoted(string text) =>
        text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || "_-./:=@%+,".Contains(c)) ? text : $"'{text.Replace("'", @"'\''")}'";
}
