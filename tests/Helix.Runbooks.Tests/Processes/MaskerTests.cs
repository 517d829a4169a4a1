using System.Text;
using System.Text.Json;
using CsCheck;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Processes;

public sealed class MaskerTests : IDisposable
{
    const string Secret = "p@ss 'w\"ord$&/+ü";

    readonly TestHost _host = new();
    readonly Masker _masker = new();
    public MaskerTests() => _masker.Add(Secret);
    public void Dispose() => _host.Dispose();

    [Fact]
    public void The_forms_in_which_tools_print_a_secret_are_masked()
    {
        string[] forms =
        [
            Secret,
            Uri.EscapeDataString(Secret),
            JsonSerializer.Serialize(Secret)[1..^1],
            Secret.Replace("'", @"'\''"),
            Convert.ToBase64String(Encoding.UTF8.GetBytes(Secret)),
        ];
        foreach (var form in forms)
            Assert.Equal("a *** b", _masker.Mask($"a {form} b"));
    }

    [Fact]
    public void A_basic_authorization_header_keeps_at_most_a_letter_at_the_edges_of_the_secret()
    {
        foreach (var user in new[] { "u", "us", "use", "user" })
        {
            var header = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{Secret}"));
            var masked = _masker.Mask(header);
            Assert.Contains("***", masked);
            Assert.True(masked.Replace("***", "").Length <= user.Length * 2 + 5, masked);
        }
    }

    [Fact]
    public void Text_without_secrets_is_the_same_object()
    {
        var text = "nothing to see";
        Assert.Same(text, _masker.Mask(text));
        Assert.Same(text, new Masker().Mask(text));
    }

    [Fact]
    public void The_lines_of_a_key_are_masked_one_by_one()
    {
        _masker.Add("-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n");
        Assert.Equal("x *** y", _masker.Mask("x kqhkiG9w0BAQEF y"));
        Assert.Equal("-----BEGIN KEY-----", _masker.Mask("-----BEGIN KEY-----"));
    }

    [Fact]
    public void Whatever_the_secrets_none_of_them_is_left_in_a_masked_text() =>
        Gen.Select(Gen.String[Gen.Char["abAB01'\"% "], 2, 12].Array[1, 8], Gen.Int[0, 100]).Sample((secrets, seed) =>
        {
            var masker = new Masker();
            foreach (var secret in secrets)
                masker.Add(secret);
            var random = new Random(seed);
            var text = string.Concat(Enumerable.Range(0, 20).Select(i => i % 2 == 0 ? "<>" : secrets[random.Next(secrets.Length)]));
            var masked = masker.Mask(text);
            return secrets.Where(s => s.Trim().Length > 0).All(s => !masked.Contains(s, StringComparison.Ordinal));
        });

    [Fact]
    public async Task A_secret_across_the_cut_of_a_long_line_is_masked()
    {
        var canary = await _host.Reveal(_host.Canary("CUT", "canary-0123456789"), default);
        for (var before = 65_500; before < 65_600; before += 3)
            await (_host.Context().Tool("cat") with { Input = new MemoryStream(Encoding.UTF8.GetBytes(new string('x', before) + canary + new string('y', 70_000))) }).Run();
        _host.AssertNoCanary();
        Assert.DoesNotContain("canary", string.Join('\n', _host.Logged));
    }

    [Fact]
    public async Task Stdout_stderr_and_errors_of_a_tool_show_no_secret_and_stdout_stays_usable_by_the_step()
    {
        var canary = await _host.Reveal(_host.Canary("TOKEN"), default);
        var result = await Fake.Tool(_host, "env", "T").With("T", canary).Run();
        Assert.Equal(canary + "\n", result.Stdout);
        var e = await Assert.ThrowsAsync<StepFailedException>(() => _host.Context().Tool("sh", "-c", "echo \"wrong password $T\" >&2; exit 1").With("T", canary).Run());
        Assert.Contains("wrong password ***", e.Message);
        _host.AssertNoCanary(e);
    }

    [Fact]
    public async Task A_secret_is_refused_as_an_argument()
    {
        var canary = await _host.Reveal(_host.Canary("TOKEN"), default);
        var e = await Assert.ThrowsAsync<RunbookException>(() => _host.Context().Tool("redis-cli", "-a", canary).Run());
        Assert.Contains("Argument 2 of redis-cli", e.Message);
        _host.AssertNoCanary(e);
    }
}
