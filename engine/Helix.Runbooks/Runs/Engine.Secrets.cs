using System.Collections.Concurrent;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

public sealed partial class Engine
{
    readonly ConcurrentDictionary<string, SecretDesk> _desks = [];

    /// <summary>Hands a secret to the driver of a run: directly when it is driven here, else through the socket of the run's folder, where only the kernel's word or a signature counts.</summary>
    /// <param name="signature">Over <see cref="SignedAnswers.SecretText"/>, by the account of <paramref name="by"/>.</param>
    /// <exception cref="RunbookException">No driver listens.</exception>
    public async Task<DecisionResult> GiveSecret(string run, Person by, string name, string value, string? signature = null)
    {
        if (signature is null && GiveSecretHere(run, by, name, value) is { } given)
            return given;
        var state = State(run);
        var reply = await SecretSocket.Send(SecretSocket.PathIn(RunFolders.Of(state.Started).Root, state.Epoch), new SecretMessage(name, value, signature is null ? null : by.Account, signature), Time);
        return new DecisionResult(reply.Accepted, reply.Message, State(run));
    }

    /// <summary>Null: the run is not driven by this engine, so nobody here can take it.</summary>
    public DecisionResult? GiveSecretHere(string run, Person by, string name, string value) =>
        _desks.TryGetValue(run, out var desk) && desk.Give(by, name, value) is var why ? new DecisionResult(why is null, why ?? "taken", State(run)) : null;
}
