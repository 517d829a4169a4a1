using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Terraform;

[Target("terraform", "A Terraform configuration in a folder of this machine, with one workspace of its state.")]
public sealed partial record TerraformTarget : Target
{
    /// <summary>Settings of a backend that say where the state is; the others may be credentials.</summary>
    static readonly string[] Placing = ["bucket", "key", "path", "prefix", "container_name", "storage_account_name", "hostname", "organization", "address", "region", "namespace", "secret_suffix"];

    [Description("The folder with the configuration.")]
    [FilePath]
    [Example("../infra")]
    public required string Directory { get; init; }

    [Description("The workspace of the state.")]
    [Example("production")]
    public string Workspace { get; init; } = "default";

    [Description("Files with values of variables, in order; later ones win.")]
    [FilePath]
    [Example("[production.tfvars]")]
    public IReadOnlyList<string> VariableFiles { get; init; } = [];

    [Description("Values of variables; they win over those of files.")]
    [Example("{ region: eu-west-1 }")]
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    [Description("Values of variables that are secrets; no file of variables may name them.")]
    [Example("{ db_password: \"env:DB_PASSWORD\" }")]
    public IReadOnlyDictionary<string, Secret> SecretVariables { get; init; } = new Dictionary<string, Secret>();

    [Description("Environment of terraform and its providers, as their credentials.")]
    [Example("{ AWS_SECRET_ACCESS_KEY: \"file:/run/secrets/aws\" }")]
    public IReadOnlyDictionary<string, Secret> Secrets { get; init; } = new Dictionary<string, Secret>();

    [Description("A file with settings of the backend, for init.")]
    [FilePath]
    public string? BackendFile { get; init; }

    [JsonIgnore]
    public override string Address => $"terraform:{Environment.MachineName}:{Directory}#{Workspace}";

    [JsonIgnore]
    public override IReadOnlyList<string> Tools => ["terraform"];

    /// <summary>Where the state is: <c>s3:helix-state/prod.tfstate#default</c>, or machine and folder.</summary>
    public override Task<string?> ReadPlace(PlanContext context)
    {
        var folder = context.FullPath(Directory);
        if (Backend(folder) is { } backend)
            return Task.FromResult<string?>($"{backend}#{Workspace}");
        var declared = System.IO.Directory.Exists(folder) && System.IO.Directory.EnumerateFiles(folder, "*.tf").Any(f => BackendBlock().IsMatch(File.ReadAllText(f)));
        return Task.FromResult<string?>(declared ? null : $"{Environment.MachineName}:{folder}#{Workspace}");
    }

    public override async Task<string> Check(PlanContext context)
    {
        var version = await (await new TerraformCall(this, context).Tool("version", "-json")).Run();
        return $"terraform {JsonNode.Parse(version.Stdout)?["terraform_version"]}, workspace {Workspace}";
    }

    /// <summary>The backend that init has noted; null when there is none, and then the state is a local file.</summary>
    static string? Backend(string folder)
    {
        var file = Path.Combine(folder, ".terraform", "terraform.tfstate");
        if (!File.Exists(file))
            return null;
        try
        {
            if (JsonNode.Parse(File.ReadAllText(file))?["backend"] is not JsonObject backend)
                return null;
            var config = backend["config"] as JsonObject ?? [];
            return $"{backend["type"]}:{string.Join('/', Placing.Select(p => config[p]).Where(v => v is JsonValue).Select(v => v!.ToString()))}";
        }
        catch (JsonException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"\bbackend\s+""(?!local"")|\bcloud\s*\{")]
    private static partial Regex BackendBlock();
}
