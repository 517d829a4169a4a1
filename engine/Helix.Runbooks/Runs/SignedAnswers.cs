using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>Answers signed with an SSH key over the gate's hash, checked against the allowed signers of the environment (ssh-keygen(1), -Y verify).</summary>
public static class SignedAnswers
{
    public const string Namespace = "helix-runbooks";

    /// <summary>The bytes that are signed: what is asked and what is answered.</summary>
    public static string Text(string run, string question, string choice, string shownHash) => $"{run}\n{question}\n{choice}\n{shownHash}\n";

    /// <summary>The bytes that are signed when a secret is handed over: for what it is, and which it is.</summary>
    public static string SecretText(string run, string ask, string value) =>
        $"{run}\n{ask}\ngive\n{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(value)))}\n";

    /// <summary>The person with the strength that is proven, or why the signature does not hold.</summary>
    internal static (Person By, string? Why) Check(RunState state, Plan plan, Person by, Decided decision)
    {
        if (decision.Signature is not { } signature)
            return (by, null);
        var question = state.Questions.GetValueOrDefault(decision.Question);
        return CheckText(Text(state.Run, decision.Question, decision.Choice, question?.Asked.ShownHash ?? ""), signature, plan.Environment, by);
    }

    internal static (Person By, string? Why) CheckText(string text, string signature, Model.Environment environment, Person by)
    {
        if (environment.AllowedSigners is not { } named)
            return (by, "the environment names no file of allowed signers, so a signature proves nothing");
        var signers = Path.GetFullPath(named, environment.BaseDirectory);
        if (!File.Exists(signers))
            return (by, $"the file of allowed signers {signers} is not there, so a signature proves nothing");
        return Verifies(text, signature, by.Account, signers)
            ? (by with { Strength = IdentityStrength.Signed }, null)
            : (by, $"the signature is not one of {by.Account} over this question and answer");
    }

    static bool Verifies(string text, string signature, string account, string signers)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, signature);
            var tool = new Tool(new ProcessLauncher(new ProcessSettings { Masker = new Masker() }), "ssh-keygen", CancellationToken.None)
            {
                Arguments = ["-Y", "verify", "-f", signers, "-I", account, "-n", Namespace, "-s", file],
                Input = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text)),
            };
            return tool.Accept(0, 1, 255).Quietly().Run().GetAwaiter().GetResult().ExitCode == 0;
        }
        finally
        {
            File.Delete(file);
        }
    }
}
