using System.CommandLine;

namespace Helix.Cli;

/// <summary>A command with examples, which its help shows.</summary>
sealed class Verb : Command
{
    public Verb(string name, string summary, params string[] examples) : base(name, summary) => Examples = examples;

    public IReadOnlyList<string> Examples { get; }

    public Verb Takes(params Argument[] arguments)
    {
        foreach (var argument in arguments)
            Arguments.Add(argument);
        return this;
    }

    public Verb With(params Option[] options)
    {
        foreach (var option in options)
            Options.Add(option);
        return this;
    }

    public Verb Has(params Command[] commands)
    {
        foreach (var command in commands)
            Subcommands.Add(command);
        return this;
    }

    public Verb Does(Func<ParseResult, int> action)
    {
        SetAction(action);
        return this;
    }

    public Verb Does(Func<ParseResult, Task<int>> action)
    {
        SetAction((parsed, _) => action(parsed));
        return this;
    }
}
