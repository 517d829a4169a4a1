using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.RegularExpressions;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Commands;

public enum VersionRule
{
    /// <summary>The tool is as new as the server, or newer.</summary>
    NotOlder,
    /// <summary>The first numbers are equal.</summary>
    SameMajor,
}

public sealed record CommandVersionsOptions
{
    [Description("A command that prints the version of the tool. It only reads.")]
    [MinLength(1)]
    [Example("[pg_dump, --version]")]
    public required IReadOnlyList<string> Tool { get; init; }

    [Description("A command that prints the version of the server. It only reads.")]
    [MinLength(1)]
    [Example("[psql, -Atc, show server_version]")]
    public required IReadOnlyList<string> Server { get; init; }

    [Description("Variables of both commands whose values are secrets.")]
    [Example("{ PGPASSWORD: \"env:PGPASSWORD\" }")]
    public IReadOnlyDictionary<string, Secret> Secrets { get; init; } = new Dictionary<string, Secret>();

    [Description("What must hold: not-older compares up to the first number that differs.")]
    public VersionRule Rule { get; init; } = VersionRule.NotOlder;
}

public sealed record CommandVersionsOutputs
{
    public required string Tool { get; init; }
    public required string Server { get; init; }
}

/// <summary>A dump tool that is older than its server refuses, and what it has written by then looks like a dump (DB-02).</summary>
[Step("command.versions", "Compares the version of a tool with that of the server that it is for, before it is used.")]
sealed partial class CommandVersions : Step<CommandVersionsOptions, CommandVersionsOutputs>
{
    public override IEnumerable<TargetEffect> Effects(CommandVersionsOptions options) => [TargetEffect.Reads(null)];

    public override async Task<StepPlan> Plan(CommandVersionsOptions options, PlanContext context)
    {
        var (tool, server) = await Read(options, context);
        return new() { Lines = [$"{options.Tool[0]} is {tool}, the server is {server}"], Warnings = Fault(options, tool, server) is { } fault ? [fault] : [] };
    }

    public override async Task<CommandVersionsOutputs> Run(CommandVersionsOptions options, StepContext context)
    {
        var (tool, server) = await Read(options, context);
        context.Log($"{options.Tool[0]} is {tool}, the server is {server}");
        return Fault(options, tool, server) is { } fault
            ? throw StepFailedException.Conflict(fault, "Install the tool of the server's version, or run that of the server's own host or image.")
            : new() { Tool = tool, Server = server };
    }

    public override Task<ProbeResult<CommandVersionsOutputs>> Probe(CommandVersionsOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<CommandVersionsOutputs>.NotDone("it only looks"));

    static async Task<(string Tool, string Server)> Read(CommandVersionsOptions options, PlanContext context) =>
        (await Version(options.Tool, options, context), await Version(options.Server, options, context));

    static async Task<string> Version(IReadOnlyList<string> argv, CommandVersionsOptions options, PlanContext context)
    {
        var tool = (context.Tool(argv[0], argv.Skip(1)) with { WorkingDirectory = context.Run.BaseDirectory }).Quietly();
        foreach (var (name, secret) in options.Secrets)
            tool = tool.With(name, await context.Reveal(secret));
        var result = await tool.Run();
        var text = result.Stdout + "\n" + result.Stderr;
        // mysqldump Ver 10.13 Distrib 5.7.44: the first number is that of the tool's own form, the second that of the server it belongs to.
        return Distribution().Match(text) is { Success: true } distribution ? distribution.Groups[1].Value
            : Number().Match(text) is { Success: true } match ? match.Value
            : throw StepFailedException.InvalidData($"{argv[0]} printed no version.", "Its output must hold one, as 16.2.");
    }

    static string? Fault(CommandVersionsOptions options, string tool, string server)
    {
        var (t, s) = (Parts(tool), Parts(server));
        if (options.Rule == VersionRule.SameMajor)
            return t[0] == s[0] ? null : $"{options.Tool[0]} is version {tool}, and the server is {server}: the first numbers must be equal.";
        var different = Enumerable.Range(0, Math.Min(t.Count, s.Count)).FirstOrDefault(i => t[i] != s[i], -1);
        return different >= 0 && t[different] < s[different] ? $"{options.Tool[0]} is version {tool}, older than the server, which is {server}." : null;
    }

    static List<int> Parts(string version) => [.. version.Split('.').Select(p => int.Parse(p, CultureInfo.InvariantCulture))];

    [GeneratedRegex(@"\bDistrib\s+(\d{1,6}(?:\.\d{1,6})+)")]
    private static partial Regex Distribution();

    [GeneratedRegex(@"\d{1,6}(\.\d{1,6})+")]
    private static partial Regex Number();
}
