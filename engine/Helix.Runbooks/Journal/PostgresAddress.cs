using System.Text.RegularExpressions;
using Helix.Runbooks.Steps;
using Npgsql;

namespace Helix.Runbooks.Journal;

/// <summary>The name of a PostgreSQL store: <c>postgres://user@host:port/database?schema=…&amp;sslmode=…</c>, or <c>Host=…;Database=…</c>. A password stands in it as a reference only.</summary>
sealed partial record PostgresAddress(string ConnectionString, string Place, string? Schema, Secret? Password)
{
    /// <summary>A command that has just begun, on a machine where everybody is busy, has not failed for that. Who drives a run has a lease that does not hold for so long.</summary>
    static readonly TimeSpan Connect = TimeSpan.FromSeconds(20), ConnectAgain = TimeSpan.FromSeconds(3);
    static readonly TimeSpan Answer = TimeSpan.FromSeconds(6);

    const string Elsewhere = "Leave it to $PGPASSWORD, $PGPASSFILE or ~/.pgpass, or name where it is: password=env:NAME or password=file:/path.";

    /// <exception cref="RunbookException">It cannot be read, or holds a password.</exception>
    public static PostgresAddress Parse(string text)
    {
        var builder = text.StartsWith("postgres", StringComparison.Ordinal) ? OfUrl(text) : OfPairs(text);
        if (string.IsNullOrEmpty(builder.Host))
            throw new RunbookException($"'{Shown(text)}' names no host.", Form);
        var password = Reference(builder.Password);
        builder.Password = null;
        var place = Name(builder);
        Settle(builder);
        return new PostgresAddress(builder.ConnectionString, place, builder.SearchPath, password);
    }

    /// <param name="again">For connections in place of those that broke.</param>
    public NpgsqlDataSource Source(bool again)
    {
        var builder = new NpgsqlDataSourceBuilder(ConnectionString);
        builder.ConnectionStringBuilder.Timeout = (int)(again ? ConnectAgain : Connect).TotalSeconds;
        // The store has only types that every server has.
        builder.ConfigureTypeLoading(t => t.EnableTypeLoading(false));
        if (Password is not null)
            builder.UsePasswordProvider(_ => Reveal()!, (_, _) => ValueTask.FromResult(Reveal()!));
        return builder.Build();
    }

    /// <summary>Read anew for every connection; null when it is left to the client of the database.</summary>
    /// <exception cref="RunbookException">It is not where it is said to be.</exception>
    public string? Reveal()
    {
        try
        {
            return Password is null ? null : new SecretSources(new Masker()).Reveal(Password, CancellationToken.None).GetAwaiter().GetResult();
        }
        catch (StepFailedException e)
        {
            throw new RunbookException($"The password of the store {Place}: {e.Message}", e.Hint);
        }
    }

    static NpgsqlConnectionStringBuilder OfUrl(string text)
    {
        if (Url().Match(text) is not { Success: true } match)
            throw new RunbookException($"'{Shown(text)}' is no name of a PostgreSQL store.", Form);
        var builder = new NpgsqlConnectionStringBuilder();
        if (match.Groups["user"] is { Success: true, Value: var user })
            builder.Username = user.Contains(':', StringComparison.Ordinal) ? throw Exposed() : Uri.UnescapeDataString(user);
        if (match.Groups["host"].Value is { Length: > 0 } host)
            builder.Host = host.Trim('[', ']');
        if (match.Groups["port"] is { Success: true, Value: var port })
            builder.Port = int.Parse(port, System.Globalization.CultureInfo.InvariantCulture);
        if (match.Groups["database"].Value is { Length: > 0 } database)
            builder.Database = Uri.UnescapeDataString(database);
        foreach (var pair in match.Groups["more"].Value.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = pair.Split('=', 2) is [var n, var v] ? (n, Uri.UnescapeDataString(v)) : (pair, "");
            Set(builder, name, value);
        }
        return builder;
    }

    static NpgsqlConnectionStringBuilder OfPairs(string text)
    {
        var builder = new NpgsqlConnectionStringBuilder();
        foreach (var pair in text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            Set(builder, pair.Split('=', 2)[0].Trim(), pair.Split('=', 2) is [_, var value] ? value.Trim() : "");
        return builder;
    }

    static void Set(NpgsqlConnectionStringBuilder builder, string name, string value)
    {
        var keyword = name.ToLowerInvariant() switch
        {
            "schema" => "Search Path",
            "sslmode" => "SSL Mode",
            "sslrootcert" => "Root Certificate",
            "sslcert" => "SSL Certificate",
            "sslkey" => "SSL Key",
            "user" => "Username",
            var other => other,
        };
        try
        {
            builder[keyword] = keyword == "SSL Mode" ? value.Replace("-", "", StringComparison.Ordinal) : value;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException)
        {
            throw new RunbookException($"'{name}' in the name of the store is not known, or its value cannot be.", Form);
        }
    }

    static Secret? Reference(string? password) => password switch
    {
        null or "" => null,
        _ when password.StartsWith("vault:", StringComparison.Ordinal) || Secret.Fault(password) is not null => throw Exposed(),
        _ => new Secret([password]),
    };

    static RunbookException Exposed() => new("The name of the store holds a password, which everybody sees who lists processes.", Elsewhere);

    static string Name(NpgsqlConnectionStringBuilder builder) =>
        $"postgres://{(builder.Username is { } user ? user + "@" : "")}{builder.Host}:{builder.Port}/{builder.Database}{(builder.SearchPath is { Length: > 0 } schema ? "?schema=" + schema : "")}";

    /// <summary>What a store needs whoever names it: connections of our own, that end soon when nobody answers.</summary>
    static void Settle(NpgsqlConnectionStringBuilder builder)
    {
        builder.Pooling = false;
        builder.Enlist = false;
        builder.CommandTimeout = (int)Answer.TotalSeconds;
        builder.CancellationTimeout = -1;
        builder.MaxAutoPrepare = 60;
        builder.AutoPrepareMinUsages = 2;
        builder.TcpKeepAlive = true;
        builder.TcpKeepAliveTime = 5;
        builder.TcpKeepAliveInterval = 2;
        builder.IncludeErrorDetail = false;
        builder.ApplicationName ??= "helix";
    }

    /// <summary>For messages: whatever may be a password is left out.</summary>
    static string Shown(string text) => Userinfo().Replace(text, "//…@");

    const string Form = "It is written postgres://user@host:5432/database?schema=helix&sslmode=verify-full, or Host=…;Database=…;Username=….";

    [GeneratedRegex(@"^postgres(ql)?://((?<user>[^@/]*)@)?(?<host>\[[^\]]+\]|[^:/?]*)(:(?<port>[0-9]{1,5}))?(/(?<database>[^?]*))?(\?(?<more>.*))?$")]
    private static partial Regex Url();

    [GeneratedRegex("//[^/]*@")]
    private static partial Regex Userinfo();
}
