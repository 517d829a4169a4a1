using System.CommandLine;
using Helix.Runbooks.Steps;

namespace Helix.Cli.Remote;

static class LoginCommand
{
    public static Command Make(Session session)
    {
        var forget = Given.Flag("--forget", "Forgets the token of this server.");
        return new Verb("login", "Keeps a token of your account page for a server; it is read from standard input, never from the command line.", "helix login --server https://helix.example.com")
            .With(forget)
            .Does(async parsed =>
            {
                if (session.Server is null)
                    throw new RunbookException("Which server?", "Write helix login --server https://helix.example.com.");
                if (parsed.GetValue(forget))
                {
                    KeptTokens.Keep(new Uri(session.Server), null);
                    return 0;
                }
                var token = session.Terminal.ReadHidden($"Token (make one on {new Uri(new Uri(session.Server), "/account")}): ").Trim();
                if (string.IsNullOrEmpty(token))
                    throw new RunbookException("No token was given.", "It is read from standard input.");
                using var server = RemoteServer.With(session, token);
                await server.Get("/api/v1/runs?limit=1");
                KeptTokens.Keep(server.Address, token);
                session.Terminal.Say($"Logged in at {server.Address}.");
                return 0;
            });
    }
}
