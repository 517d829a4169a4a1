using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Commands;

/// <summary>What all step types that run a command of the author's have in common.</summary>
public abstract record CommandOptions : IDeclaresOutputs
{
    [Description("Variables of the command.")]
    [Example("{ PGHOST: db1 }")]
    public IReadOnlyDictionary<string, string> Env { get; init; } = new Dictionary<string, string>();

    [Description("Variables of the command whose values are secrets.")]
    [Example("{ PGPASSWORD: \"env:PGPASSWORD\" }")]
    public IReadOnlyDictionary<string, Secret> Secrets { get; init; } = new Dictionary<string, Secret>();

    [Description("The folder in which it starts.")]
    public string? WorkingDirectory { get; init; }

    [Description("Exit codes that are a success.")]
    [MinLength(1)]
    public IReadOnlyList<int> ExitCodes { get; init; } = [0];

    [Description("For a tool that ends with its own code when it met errors and went on (pg_restore: 1): which of them are known and harmless. Any other fails the step.")]
    public AllowedErrors? AllowedErrors { get; init; }

    [Description("A file of this machine that becomes its standard input.")]
    public string? Stdin { get; init; }

    [Description("A file of this machine that gets its standard output, byte for byte; it appears when the command has succeeded.")]
    public string? Stdout { get; init; }

    [Description("What later steps can use of its standard output.")]
    [Example("{ version: { from: \"json:$.version\" } }")]
    public IReadOnlyDictionary<string, DeclaredOutput> Outputs { get; init; } = new Dictionary<string, DeclaredOutput>();
}

/// <summary>Runs a call with these options.</summary>
static class CommandCall
{
    /// <summary>Outputs are found in the part of standard output that is kept.</summary>
    public static async Task<DeclaredOutputs> Run(Tool tool, CommandOptions options, StepContext context)
    {
        if (options.Stdout is not null && options.Outputs.Count > 0)
            throw new RunbookException("A command's standard output goes either to the file of 'stdout' or into 'outputs'.");
        foreach (var (name, value) in options.Env)
            tool = tool.With(name, value);
        foreach (var (name, secret) in options.Secrets)
            tool = tool.With(name, await context.Reveal(secret));
        tool = tool.Accept([.. options.ExitCodes, .. options.AllowedErrors?.ExitCodes ?? []]);
        await using var input = options.Stdin is { } from ? Open(context.FullPath(from)) : null;
        tool = tool with { Input = input };
        if (options.Stdout is { } to)
        {
            var warned = Judged(await RunInto(tool, context.FullPath(to), options, context), options);
            return warned is null ? new() : new() { Values = { ["warning"] = warned } };
        }
        var result = await tool.Run();
        var warning = Judged(result, options);
        var outputs = result.Cut && options.Outputs.Count > 0
            ? throw StepFailedException.InvalidData("The command printed more than 1 MiB, which is too much for outputs.", "Send its output to a file with 'stdout'.")
            : DeclaredValues.Read(options.Outputs, result.Stdout, Path.GetFileName(tool.File));
        if (warning is not null)
            outputs.Values.TryAdd("warning", warning);
        return outputs;
    }

    static string? Judged(ToolResult result, CommandOptions options) =>
        options.AllowedErrors is { } allowed && allowed.ExitCodes.Contains(result.ExitCode) && !options.ExitCodes.Contains(result.ExitCode) ? allowed.Judge(result) : null;

    static FileStream Open(string path) => File.Exists(path) ? File.OpenRead(path) : throw StepFailedException.Missing($"There is no file {path} for the standard input.");

    static async Task<ToolResult> RunInto(Tool tool, string path, CommandOptions options, StepContext context)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = Files.Unfinished.NameFor(context, path);
        File.Delete(temporary);
        ToolResult result;
        try
        {
            await using (var file = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                result = await (tool with { Output = file }).Run();
                file.Flush(flushToDisk: true);
            }
            _ = Judged(result, options);
            Files.Durable.Rename(temporary, path);
            return result;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    public static string Line(IEnumerable<string> argv) => string.Join(' ', argv.Select(a => a.Any(char.IsWhiteSpace) || a.Length == 0 ? $"'{a}'" : a));

    /// <summary>A command without outputs that names what it makes can be looked at after a crash.</summary>
    public static ProbeResult<DeclaredOutputs> Probe(string? creates, CommandOptions options, StepContext context) =>
        creates is null ? ProbeResult<DeclaredOutputs>.Unknown("nobody knows what the command had done; with 'creates' a step can tell")
        : !File.Exists(context.FullPath(creates)) && !Directory.Exists(context.FullPath(creates)) ? ProbeResult<DeclaredOutputs>.NotDone($"{creates} is not there")
        : options.Outputs.Count > 0 ? ProbeResult<DeclaredOutputs>.Unknown($"{creates} is there, but the outputs are lost")
        : ProbeResult<DeclaredOutputs>.Done(new(), $"{creates} is there");

    public static IEnumerable<TargetEffect> Effects(IReadOnlyList<string> targets) =>
        targets.Count == 0 ? [TargetEffect.Changes(null)] : targets.Select(TargetEffect.Changes);
}
