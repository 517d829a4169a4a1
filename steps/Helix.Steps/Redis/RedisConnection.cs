using System.Net.Sockets;
using Helix.Runbooks.Steps;
using StackExchange.Redis;

namespace Helix.Steps.Redis;

/// <summary>One connection to one server or sentinel. Speaks the protocol itself: an error reply is an exception, never exit code 0 (RED-11).</summary>
sealed class RedisConnection : IAsyncDisposable
{
    /// <summary>Until the machine of the server takes the connection.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Until the server itself has its turn.</summary>
    static readonly TimeSpan Greeting = TimeSpan.FromSeconds(10);

    readonly ConnectionMultiplexer _multiplexer;
    readonly IServer _server;
    readonly CancellationToken _cancelled;

    RedisConnection(ConnectionMultiplexer multiplexer, string name, CancellationToken cancelled)
    {
        _multiplexer = multiplexer;
        _server = multiplexer.GetServers()[0];
        _cancelled = cancelled;
        Name = name;
    }

    /// <summary>For messages: <c>redis 'cache' at host:6379</c>.</summary>
    public string Name { get; }

    public static Task<RedisConnection> Open(RedisTarget target, PlanContext context) => Open(target, target.At, context);

    /// <summary>Opens another node with the credentials of the target.</summary>
    public static async Task<RedisConnection> Open(RedisTarget target, RedisEndpoint at, PlanContext context)
    {
        var options = OptionsFor(at);
        options.User = target.User;
        options.Password = target.Password is { } password ? await context.Reveal(password) : null;
        Secure(options, target.Tls, target.CaFile, at, context);
        var name = at.Normalised == target.At.Normalised ? $"redis '{target.Name}' at {at}" : $"redis at {at}";
        return await Connect(options, at, name, context);
    }

    public static async Task<RedisConnection> Open(SentinelTarget target, RedisEndpoint at, PlanContext context)
    {
        var options = OptionsFor(at);
        options.CommandMap = CommandMap.Sentinel;
        options.User = target.User;
        options.Password = target.Password is { } password ? await context.Reveal(password) : null;
        Secure(options, target.Tls, target.CaFile, at, context);
        return await Connect(options, at, $"sentinel at {at}", context);
    }

    static ConfigurationOptions OptionsFor(RedisEndpoint at) => new()
    {
        EndPoints = { { at.Host, at.Port } },
        AbortOnConnectFail = true,
        AllowAdmin = true,
        ConnectRetry = 1,
        ConnectTimeout = (int)Greeting.TotalMilliseconds,
        AsyncTimeout = 15_000,
        SyncTimeout = 15_000,
        BacklogPolicy = BacklogPolicy.FailFast,
        TieBreaker = "",
        ConfigurationChannel = "",
        ConfigCheckSeconds = 0,
        SetClientLibrary = false,
        ClientName = "helix",
    };

    static void Secure(ConfigurationOptions options, bool tls, string? caFile, RedisEndpoint at, PlanContext context)
    {
        if (!tls)
            return;
        options.Ssl = true;
        options.SslHost = at.Host;
        if (caFile is not null)
            options.TrustIssuer(context.FullPath(caFile));
    }

    static async Task<RedisConnection> Connect(ConfigurationOptions options, RedisEndpoint at, string name, PlanContext context)
    {
        await Listens(at, name, context);
        var connecting = ConnectionMultiplexer.ConnectAsync(options);
        try
        {
            return new(await connecting.WaitAsync(context.Cancelled), name, context.Cancelled);
        }
        catch (RedisException e)
        {
            throw Translated(e, name);
        }
        catch (OperationCanceledException)
        {
            // It goes on connecting, and nobody would end what comes of it.
            _ = connecting.ContinueWith(c => c.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            throw;
        }
    }

    /// <summary>The multiplexer often needs its whole time-out to notice that nobody listens; this takes a millisecond and knows the reason.</summary>
    static async Task Listens(RedisEndpoint at, string name, PlanContext context)
    {
        using var limit = new CancellationTokenSource(Patience, context.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.Cancelled);
        using var socket = new TcpClient();
        try
        {
            await socket.ConnectAsync(at.Host, at.Port, either.Token);
        }
        catch (SocketException e)
        {
            throw Unreachable(name, e.Message);
        }
        catch (OperationCanceledException) when (!context.Cancelled.IsCancellationRequested)
        {
            throw Unreachable(name, $"no answer within {new Duration(Patience)}");
        }
    }

    static StepFailedException Unreachable(string name, string why) =>
        StepFailedException.Transient($"{Capital(name)} cannot be reached: {why.TrimEnd('.')}.", "Is it running, and is the endpoint right?");

    /// <summary>Sends one command.</summary>
    /// <exception cref="StepFailedException">The server refused it or could not be reached.</exception>
    public Task<RedisResult> Send(string command, params object[] arguments) => Send(null, command, arguments, _cancelled);

    /// <summary>Sends one command to a database other than 0.</summary>
    public Task<RedisResult> SendTo(int database, string command, params object[] arguments) => Send(database, command, arguments, _cancelled);

    /// <summary>Sends one command even when the step is being cancelled: to put something back.</summary>
    public Task<RedisResult> SendAnyway(string command, params object[] arguments) => Send(null, command, arguments, CancellationToken.None);

    async Task<RedisResult> Send(int? database, string command, object[] arguments, CancellationToken cancelled)
    {
        try
        {
            return await _server.ExecuteAsync(database, command, arguments).WaitAsync(cancelled);
        }
        catch (Exception e) when (e is RedisException or TimeoutException or ObjectDisposedException)
        {
            throw Translated(e, Name, command);
        }
    }

    public async Task<RedisInfo> Info(string section = "default") => new((string?)await Send("INFO", section) ?? "");

    /// <summary>The value of a setting; null when there is none of that name or asking is not allowed.</summary>
    public async Task<string?> Setting(string name)
    {
        try
        {
            var reply = (RedisResult[]?)await Send("CONFIG", "GET", name) ?? [];
            return reply.Length > 1 ? (string?)reply[1] : null;
        }
        catch (StepFailedException e) when (e.Failure is FailureClass.Auth or FailureClass.Conflict)
        {
            return null;
        }
    }

    public Task Set(string setting, string value) => Send("CONFIG", "SET", setting, value);

    /// <summary>The full path of the RDB file; null when CONFIG GET is not allowed.</summary>
    public async Task<string?> DataFile() =>
        await Setting("dir") is { } folder && await Setting("dbfilename") is { } file ? $"{folder.TrimEnd('/')}/{file}" : null;

    public static StepFailedException Loading(string name) =>
        StepFailedException.Transient($"{Capital(name)} is still loading its data.", "It answers when it has read its file; wait and try again.");

    static StepFailedException Translated(Exception e, string name, string? command = null)
    {
        var said = e.InnerException is RedisServerException inner ? inner.Message : e.Message;
        name = Capital(name);
        if (Chain(e).OfType<System.Security.Authentication.AuthenticationException>().FirstOrDefault() is { } untrusted)
            return StepFailedException.Auth($"The certificate of {name} is not trusted: {untrusted.Message}", "Is `caFile` the authority that signed it, and is the host of the endpoint one of its names?");
        if (Holds("WRONGPASS") || Holds("NOAUTH") || Holds("invalid password") || e is RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure })
            return StepFailedException.Auth($"{name} refused the user name or the password.", "Check `user:` and what `password:` refers to.");
        if (Holds("NOPERM"))
            return StepFailedException.Auth($"{name} does not allow {command ?? "this"}: {said}", "Give the user this command in the access list.");
        if (Holds("LOADING") || e is RedisConnectionException { FailureType: ConnectionFailureType.Loading })
            return Loading(name);
        if (e is RedisServerException)
            return StepFailedException.Conflict($"{name} refused {command}: {said}");
        return e is TimeoutException
            ? StepFailedException.Transient($"{name} did not answer {command} in time.", "Is it busy with a slow command? `SLOWLOG GET` says so.")
            : Unreachable(name, "the connection broke");

        bool Holds(string word) => said.Contains(word, StringComparison.Ordinal) || e.Message.Contains(word, StringComparison.Ordinal);
    }

    static IEnumerable<Exception> Chain(Exception? e)
    {
        for (; e is not null; e = e.InnerException)
            yield return e;
    }

    static string Capital(string name) => char.ToUpperInvariant(name[0]) + name[1..];

    public ValueTask DisposeAsync() => _multiplexer.DisposeAsync();
}
