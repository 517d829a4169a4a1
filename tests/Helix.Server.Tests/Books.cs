namespace Helix.Server.Tests;

/// <summary>Runbooks for tests; FOLDER is the folder of the test.</summary>
static class Books
{
    /// <summary>Asks the group dba, then writes a file.</summary>
    public const string Gate = """
        objectives: { rto: 1h, recoveredAt: write }
        inputs:
          word: { type: string, default: hello, description: What is written }
        steps:
          - id: look
            uses: command.run
            effect: reads
            with: { argv: [echo, "looking at the world"] }
          - id: go
            uses: approval
            with:
              message: "Write {{ inputs.word }}?"
              approvers: [group:dba]
              expiresAfter: 30m
              inputs: { ticket: { type: string, required: true, description: The ticket } }
          - id: write
            uses: command.run
            effect: changes
            with: { argv: [sh, -c, 'echo "$1" >> "$2/world"', sh, "{{ inputs.word }}", FOLDER] }
        """;

    /// <summary>Fails until the file "mended" is there; leaves residue before.</summary>
    public const string Failing = """
        objectives: { rto: 1h }
        steps:
          - id: check
            uses: command.run
            effect: reads
            with: { argv: [sh, -c, 'test -e "$1/mended" || { echo "it is still broken" >&2; exit 3; }', sh, FOLDER] }
          - id: tell
            uses: command.run
            effect: reads
            with: { argv: [echo, done] }
        finally:
          - id: tidy
            uses: command.run
            effect: reads
            with: { argv: [sh, -c, 'echo tidy >> "$1/world"', sh, FOLDER] }
        """;

    /// <summary>Counts to N slowly, one line a time, then waits for the file "on".</summary>
    public const string Slow = """
        steps:
          - id: first
            uses: command.run
            effect: reads
            with: { argv: [sh, -c, 'echo once >> "$1/world"', sh, FOLDER] }
          - id: slow
            uses: command.run
            effect: reads
            with: { argv: [sh, -c, 'echo started; echo started >> "$1/slow"; while test -d "$1" -a ! -e "$1/on"; do sleep 0.05; done; echo ended', sh, FOLDER] }
          - id: last
            uses: command.run
            effect: reads
            with: { argv: [sh, -c, 'echo last >> "$1/world"', sh, FOLDER] }
        """;
}
