using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Cli.Driving;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;

namespace Helix.Cli.Commands;

static class SecretCommand
{
    public static Command Make(Session session)
    {
        var run = Given.Run(session);
        var name = new Argument<string?>("NAME") { Description = "Which secret; not needed when one is asked.", Arity = ArgumentArity.ZeroOrOne };
        var sign = Given.Text("--sign", "KEYFILE", "Signs with this SSH key (ssh-keygen -Y sign), for somebody whose account is not that of the driver.");
        var account = Given.Text("--as", "ACCOUNT", "With --sign: whose key it is.");
        return new Verb("secret", "Hands a secret to the step of a living run that waits for it. It is typed without an echo or read from standard input, and stored nowhere.",
                "helix secret 260301-0200 share", "gpg -d share.pgp | helix secret 260301-0200 share --sign ~/.ssh/id_ed25519 --as alice")
            .Takes(run, name).With(sign, account)
            .Does(parsed => Give(session, session.Store.Resolve(parsed.GetValue(run)!), parsed.GetValue(name), parsed.GetValue(sign), parsed.GetValue(account)));
    }

    static async Task<int> Give(Session session, string run, string? name, string? key, string? account)
    {
        var asked = Find(session.Engine.State(run), run, name);
        session.Terminal.Say(session.Terminal.Talk(asked.Message));
        var value = session.Terminal.ReadHidden($"{asked.Name}: ");
        var by = account is null ? session.Operator : session.Operator with { Account = account };
        var signature = key is null ? null : SshSignature.Sign(key, SignedAnswers.SecretText(run, asked.Ask, value));
        var result = await session.Engine.GiveSecret(run, by, asked.Ask, value, signature);
        session.Terminal.Say(result.Accepted ? $"'{asked.Name}' was taken." : $"'{asked.Name}' was refused: {result.Message}.");
        session.Terminal.Give(new JsonObject { ["run"] = run, ["name"] = asked.Name, ["accepted"] = result.Accepted, ["message"] = result.Message }, () => "");
        return result.Accepted ? 0 : ExitCodes.Wrong;
    }

    static SecretAsked Find(RunState state, string run, string? name)
    {
        var asked = state.SecretsAsked.Values.Where(s => name is null || s.Name == name || s.Ask == name).ToList();
        return asked.Count > 0 && asked.Select(s => s.Name).Distinct().Count() == 1 ? asked[0] : throw new RunbookException(
            asked.Count == 0 ? $"Run {run} waits for no {(name is null ? "secret" : $"'{name}'")} now." : $"Run {run} waits for several secrets.",
            asked.Count == 0 ? "`helix status` shows what it waits for." : "Name one: " + string.Join(", ", asked.Select(s => s.Name).Distinct()) + ".");
    }
}
