using System.CommandLine;

namespace Helix.Cli.Commands;

static class CompletionCommand
{
    public static Command Make(Session session)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash or zsh." };
        shell.AcceptOnlyFromAmong("bash", "zsh");
        return new Verb("completion", "Prints the completion script of a shell.", "helix completion bash > ~/.local/share/bash-completion/completions/helix", "source <(helix completion zsh)")
            .Takes(shell)
            .Does(parsed =>
            {
                session.Terminal.Write(parsed.GetValue(shell) == "bash" ? Bash : Zsh);
                return 0;
            });
    }

    // The words come from helix itself, so the scripts never go stale.
    const string Bash = """
        _helix() {
          local IFS=$'\n'
          COMPREPLY=($(compgen -W "$(helix "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
          [[ ${#COMPREPLY[@]} -gt 0 ]] || { compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")); }
        }
        complete -F _helix helix
        """;

    const string Zsh = """
        #compdef helix
        _helix() {
          local -a found
          found=("${(@f)$(helix "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
          if [[ -n "${found[1]}" ]]; then compadd -a found; else _files; fi
        }
        compdef _helix helix
        """;
}
