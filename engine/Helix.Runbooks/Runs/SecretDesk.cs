using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>
/// Where people hand secrets to the living driver. The record holds who was asked for what, and who gave it when; never the value.
/// When the driver dies, so does what was asked: the step asks again.
/// </summary>
sealed class SecretDesk(Drive drive) : IAsyncDisposable
{
    static readonly TimeSpan Look = TimeSpan.FromSeconds(5);

    readonly List<Waiting> _open = [];
    readonly List<Person> _givers = [];
    readonly Lock _lock = new();
    SecretSocket? _socket;

    public async Task<GivenSecret> Ask(string path, SecretRequest request, Action alive, CancellationToken stop)
    {
        var until = drive.Time.GetUtcNow() + request.Within;
        var asked = new SecretAsked($"{path}/{request.Name}#{Guid.NewGuid():N}", path, request.Name, drive.Masker.Mask(request.Message), request.From, until);
        var waiting = new Waiting(asked, request.NotAgain);
        Open(waiting);
        drive.Record.Append(asked);
        try
        {
            return await Given(waiting, until, alive, stop);
        }
        finally
        {
            lock (_lock)
                _open.Remove(waiting);
            if (!waiting.Given.Task.IsCompletedSuccessfully && drive.Record.Broken is null)
                drive.Record.Append(new SecretUnasked(asked.Ask));
        }
    }

    /// <summary>Null: it was taken. Else why not; a refusal is recorded.</summary>
    public string? Give(Person by, string name, string value)
    {
        // Before anything that could tell of it.
        drive.Masker.Add(value);
        lock (_lock)
        {
            if (_open.Find(w => w.Asked.Name == name || w.Asked.Ask == name) is not { } waiting)
                return _open.Count == 0 ? "nothing is asked now" : $"'{name}' is not asked; asked is {string.Join(", ", _open.Select(w => w.Asked.Name).Distinct())}";
            if (Refusal(waiting, by, value) is { } why)
            {
                drive.Record.Append(new SecretRefused(waiting.Asked.Ask, by, why));
                return why;
            }
            drive.Record.Append(new SecretGiven(waiting.Asked.Ask, by));
            _open.Remove(waiting);
            _givers.Add(by);
            waiting.Given.TrySetResult(new GivenSecret(by.Account, value));
            return null;
        }
    }

    string? Refusal(Waiting waiting, Person by, string value) =>
        !Approvals.IsAsked(waiting.Asked.From, by, drive.Plan.Environment.Groups) ? $"{by.Account} is not among those who are asked ({string.Join(", ", waiting.Asked.From)})"
        : waiting.NotAgain.Contains(by.Account) || _givers.Any(g => waiting.NotAgain.Contains(g.Account) && People.Compare(g, by) != Sameness.Two) ? $"{by.Account} has given theirs already, and it takes several people"
        : value.Length == 0 ? "it is empty"
        : null;

    void Open(Waiting waiting)
    {
        lock (_lock)
        {
            _open.Add(waiting);
            _socket ??= SecretSocket.Listen(SecretSocket.PathIn(drive.Folders.Root, drive.Record.Lease.Epoch), Take);
        }
    }

    /// <summary>Over the socket a name is worth only what the kernel or a signature says.</summary>
    string? Take(Person peer, SecretMessage message)
    {
        if (message.Signature is not { } signature)
            return Give(peer, message.Name, message.Value);
        string? ask;
        lock (_lock)
            ask = _open.Find(w => w.Asked.Name == message.Name || w.Asked.Ask == message.Name)?.Asked.Ask;
        var text = SignedAnswers.SecretText(drive.Record.Lease.Run, ask ?? "", message.Value);
        var (by, why) = SignedAnswers.CheckText(text, signature, drive.Plan.Environment, peer with { Account = message.Account ?? peer.Account });
        return why ?? Give(by, message.Name, message.Value);
    }

    async Task<GivenSecret> Given(Waiting waiting, DateTimeOffset until, Action alive, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                var left = until - drive.Time.GetUtcNow();
                return await waiting.Given.Task.WaitAsync(left <= TimeSpan.Zero ? TimeSpan.Zero : left < Look ? left : Look, drive.Time, stop);
            }
            catch (TimeoutException)
            {
                alive();
                if (drive.Time.GetUtcNow() >= until)
                    throw StepFailedException.Transient($"Nobody gave '{waiting.Asked.Name}' until {until:u}.", "Find those who hold it, then try again.");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_socket is { } socket)
            await socket.DisposeAsync();
    }

    sealed record Waiting(SecretAsked Asked, IReadOnlyList<string> NotAgain)
    {
        public TaskCompletionSource<GivenSecret> Given { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
