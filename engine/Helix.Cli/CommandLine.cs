using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;

namespace Helix.Cli;

/// <summary>A verb and what makes its command.</summary>
sealed record TableEntry(string Name, Func<Session, Command> Make);

/// <summary>From arguments to an exit code: parses, sets the common options, and turns the two exceptions into words.</summary>
sealed class CommandLine(Session session, IReadOnlyList<TableEntry> local)
{
    IReadOnlyList<TableEntry> _table = [];

    /// <summary>As of sysexits.h: an internal error.</summary>
    const int Bug = 70;

    readonly Option<string?> _store = new("--store")
    {
        Description = "The file that holds the journal of all runs, or a database that several machines share: postgres://user@host/database?password=file:/path. Default: $HELIX_STORE, else ~/.local/share/helix/helix.db.",
        HelpName = "STORE",
        Recursive = true,
    };
    readonly Option<string?> _server = new("--server")
    {
        Description = "Works on the server at this URL instead of this machine's store. Default: $HELIX_SERVER, unless --store is given; '' is this machine's store.",
        HelpName = "URL",
        Recursive = true,
    };
    readonly Option<bool> _json = new("--json") { Description = "Gives the result as JSON on standard output.", Recursive = true };
    readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "Says only results and errors.", Recursive = true };
    readonly Option<bool> _plain = new("--no-color") { Description = "No colours; NO_COLOR does the same.", Recursive = true };

    public async Task<int> Run(string[] arguments)
    {
        var (server, store) = (ValueOf("--server", arguments), ValueOf("--store", arguments));
        if (server is { Length: > 0 } && store is not null)
            return Say("--server and --store name two places.", "Give one of them.", ExitCodes.Wrong);
        session.Server = server is { Length: > 0 } ? server : server is null && store is null ? session.Server : null;
        _table = session.Server is null ? local : [.. Remote.RemoteTable.OfCommands, .. local.Where(c => Remote.RemoteTable.OfFiles.Contains(c.Name))];
        // No response files: a note may begin with '@'.
        var parsed = Root(arguments).Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0 && parsed.Action is not HelpAction and not WithExamples)
            return Wrong(parsed);
        if (arguments.FirstOrDefault(a => a == "…" || a.EndsWith("=…", StringComparison.Ordinal)) is { } open)
            return Say($"'{open}' is a gap of the command that was shown.", "Write what you have to say in place of …", ExitCodes.Wrong);
        session.StoreGiven = parsed.GetValue(_store);
        session.Terminal.Json = parsed.GetValue(_json);
        session.Terminal.Quiet = parsed.GetValue(_quiet);
        session.Terminal.Color &= !parsed.GetValue(_plain);
        return await Guarded(() => parsed.InvokeAsync(new InvocationConfiguration
        {
            Output = session.Terminal.Out,
            Error = session.Terminal.Error,
            EnableDefaultExceptionHandler = false,
            // Ctrl-C suspends a run; the commands see to it themselves.
            ProcessTerminationTimeout = null,
        }));
    }

    /// <summary>Known before the rest is read: server or store decide which commands there are.</summary>
    static string? ValueOf(string option, string[] arguments)
    {
        var at = Array.FindIndex(arguments, a => a == option || a.StartsWith(option + "=", StringComparison.Ordinal) || a.StartsWith(option + ":", StringComparison.Ordinal));
        return at < 0 ? null : arguments[at] == option ? arguments.ElementAtOrDefault(at + 1) ?? "" : arguments[at][(option.Length + 1)..];
    }

    /// <summary>Only the command that is named is built, unless help or completion must know them all.</summary>
    RootCommand Root(string[] arguments)
    {
        var root = new RootCommand("Runs disaster-recovery runbooks: checked before, recorded while, resumable after.");
        foreach (var option in new Option[] { _store, _server, _json, _quiet, _plain })
            root.Options.Add(option);
        var named = arguments.Length > 0 ? _table.Where(c => c.Name == arguments[0]).ToList() : [];
        foreach (var (_, make) in named.Count > 0 ? named : _table)
            root.Subcommands.Add(make(session));
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new WithExamples((HelpAction)help.Action!);
        return root;
    }

    int Wrong(ParseResult parsed)
    {
        if (parsed.CommandResult.Command is RootCommand && parsed.UnmatchedTokens is [var unknown, ..] && !unknown.StartsWith('-'))
            return session.Server is { } server && local.Any(c => c.Name == unknown)
                ? Say($"'{unknown}' does not work on a server, and {server} is the one of --server or $HELIX_SERVER.", $"`helix --server '' {unknown}` works on this machine's store.", ExitCodes.Wrong)
                : Say($"There is no command '{unknown}'.", Suggestion.Nearest(unknown, _table.Select(c => c.Name)) is { } near ? $"Did you mean `helix {near}`?" : "`helix --help` lists all there are.", ExitCodes.Wrong);
        foreach (var error in parsed.Errors)
            session.Terminal.Error.WriteLine(error.Message);
        var named = string.Join(' ', parsed.CommandResult.Command is RootCommand ? [] : Names(parsed.CommandResult));
        session.Terminal.Error.WriteLine($"Hint: `helix {(named.Length > 0 ? named + " " : "")}--help` shows what there is, with an example.");
        return ExitCodes.Wrong;
    }

    static IEnumerable<string> Names(System.CommandLine.Parsing.CommandResult result) =>
        result.Parent is System.CommandLine.Parsing.CommandResult { Command: not RootCommand } above ? [.. Names(above), result.Command.Name] : [result.Command.Name];

    /// <summary>Then no relative path means anything, and the exception names none.</summary>
    static bool IsFolderGone()
    {
        try
        {
            return Directory.GetCurrentDirectory().Length == 0;
        }
        catch (FileNotFoundException)
        {
            return true;
        }
    }

    async Task<int> Guarded(Func<Task<int>> action)
    {
        try
        {
            return await action();
        }
        catch (RunbookException e)
        {
            return Say(e.Message, e.Hint, ExitCodes.Wrong);
        }
        catch (HeldException e)
        {
            return Say(e.Message, e.Hint, ExitCodes.Held);
        }
        catch (StepFailedException e)
        {
            return Say(e.Message, e.Hint, ExitCodes.Failed);
        }
        catch (StoreLostException e)
        {
            return Say(e.Message, e.Hint ?? (e.MayComeBack ? "Whether the last answer was taken is not known: `helix show RUN` tells when the store is back." : "Nothing more was done. Make room or mend the disk, then go on: helix resume RUN"), ExitCodes.Failed);
        }
        catch (IOException e) when (e.Message.Contains("Broken pipe", StringComparison.Ordinal))
        {
            // The reader of our output (as `head`) has seen enough.
            return 0;
        }
        catch (FileNotFoundException) when (IsFolderGone())
        {
            return Say("The folder that helix was started in is gone.", "Go to one that is there (cd), and call it again.", ExitCodes.Wrong);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Say(e.Message, "Check the path, whether this account may write there, and whether there is room.", ExitCodes.Wrong);
        }
        catch (Exception e)
        {
            session.Terminal.Tell(e.ToString());
            return Say("This is a mistake in helix itself, not in your runbook.",
                "Please report it with the text above, the output of `helix --version` and, if a run was under way, `helix export RUN`. The run can be resumed.", Bug);
        }
    }

    int Say(string message, string? hint, int code)
    {
        session.Terminal.Tell(message);
        if (hint is not null)
            session.Terminal.Tell("Hint: " + hint);
        return code;
    }

    /// <summary>The usual help, and the examples of the command.</summary>
    sealed class WithExamples(HelpAction usual) : SynchronousCommandLineAction
    {
        /// <summary>Arguments are called by their names: the usual help lists what could be completed in place of them, which are all runs of the store.</summary>
        static void Named(Command command)
        {
            foreach (var argument in command.Arguments.Concat(command.Subcommands.SelectMany(c => c.Arguments)))
                argument.HelpName ??= argument.Name;
        }

        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            usual.MaxWidth = 120;
            Named(parseResult.CommandResult.Command);
            var code = usual.Invoke(parseResult);
            var output = parseResult.InvocationConfiguration.Output;
            IReadOnlyList<string> examples = parseResult.CommandResult.Command is Verb verb ? verb.Examples : ["helix init", "helix run runbooks/redis-restore.yaml --environment runbooks/environments/compose-local.yaml"];
            output.WriteLine("Example:");
            foreach (var example in examples)
                output.WriteLine("  " + example);
            output.WriteLine();
            return code;
        }
    }
}
