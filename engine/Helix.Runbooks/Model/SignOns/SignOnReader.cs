using System.Text.Json;
using System.Text.RegularExpressions;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Model.Yaml;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.SignOns;

/// <summary>YAML text → how people sign on: all problems at once.</summary>
public sealed class SignOnReader
{
    public ReadResult<SignOn> ReadFile(string path) =>
        FileBytes.Read(path, out var why) is { } bytes ? Read(path, bytes) : FileBytes.Unreadable<SignOn>(path, why);

    public ReadResult<SignOn> Read(string path, byte[] text)
    {
        var problems = new ProblemList();
        var read = new SignOnFile(problems, path).Read(text);
        return new ReadResult<SignOn>(problems.HasErrors ? null : read, problems.Sorted(path));
    }
}

sealed class SignOnFile(ProblemList problems, string path)
{
    static readonly TimeSpan FreshFor = TimeSpan.FromHours(24);

    readonly string _folder = Path.GetDirectoryName(Path.GetFullPath(path))!;

    public SignOn? Read(byte[] bytes)
    {
        var root = new YamlText(path, problems).Read(bytes);
        if (root is not MapNode map)
        {
            if (root is not (null or BrokenNode))
                problems.Error("wrong-type", root.Position, "A file for signing on is a map of fields.", "Begin with `apiVersion: helix.runbooks/v1`.");
            return null;
        }
        var json = new ValueReader(problems, templates: false).Record(map, ShapeOf.Record(typeof(SignOnFields)), "", "The file for signing on");
        var fields = json.Deserialize<SignOnFields>(StepJson.Options)!;
        Check(map, fields);
        return problems.HasErrors ? null : Of(fields);
    }

    SignOn Of(SignOnFields fields) => new()
    {
        Issuer = fields.Issuer!,
        ClientId = fields.ClientId!,
        ClientSecret = fields.ClientSecret,
        Button = fields.Button ?? $"Sign on through {new Uri(fields.Issuer!).Host}",
        Scopes = [.. (fields.Scopes ?? ["profile"]).Prepend("openid").Distinct()],
        AccountClaim = fields.AccountClaim ?? "preferred_username",
        GroupsClaim = fields.GroupsClaim ?? "groups",
        SameNames = fields.SameNames ?? false,
        People = fields.People ?? new Dictionary<string, string>(),
        Roles = fields.Roles ?? new Dictionary<string, IReadOnlyList<string>>(),
        Approvers = fields.Approvers ?? new Dictionary<string, IReadOnlyList<string>>(),
        FreshFor = fields.FreshFor?.Value ?? FreshFor,
        CaFile = fields.CaFile is { } file ? Path.GetFullPath(file, _folder) : null,
        BaseDirectory = _folder,
    };

    void Check(MapNode map, SignOnFields fields)
    {
        if (fields.Name is { } name && name != Path.GetFileNameWithoutExtension(path))
            problems.Error("name", map["name"]!.Position, $"The name '{name}' differs from that of the file, '{Path.GetFileNameWithoutExtension(path)}'.", "Let both be equal.");
        if (fields.Issuer is { } issuer && !(Uri.TryCreate(issuer, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || uri is { Scheme: "http", IsLoopback: true })))
            problems.Error("issuer", map["issuer"]!.Position, $"'{issuer}' is no address that begins with https://.", "Tokens that came without TLS prove nothing; http:// is taken on this machine alone, for tests.");
        if (fields.ClientSecret is { } secret && secret.References.Any(r => r.StartsWith("vault:", StringComparison.Ordinal)))
            problems.Error("secret", map["clientSecret"]!.Position, "Vault cannot be asked for this: people must be able to sign on while it is down.", "Write env:NAME or file:/path.");
        foreach (var role in Items(map["roles"]).Where(r => !Regex.IsMatch(r.Text, SignOnFields.RolePattern)))
            problems.Error("role", role.Position, $"'{role.Text}' is no role on an environment.", "Write it as operator:production, or viewer:* for all; there are viewer, operator, approver, author and admin.");
        foreach (var group in Items(map["approvers"]).Where(g => !Names.IsId(g.Text)))
            problems.Error("name", group.Position, $"'{group.Text}' cannot be the name of a group.", Names.IdHint(group.Text));
        if (fields.Roles is not { Count: > 0 })
            problems.Warning("no-roles", map.Position, "No group of the provider may do anything here.", "Add `roles:`, or give roles to single accounts on the page Accounts.");
    }

    static IEnumerable<ScalarNode> Items(Node? map) =>
        ((map as MapNode)?.Entries ?? []).SelectMany(e => (e.Value as ListNode)?.Items.OfType<ScalarNode>() ?? []);
}
