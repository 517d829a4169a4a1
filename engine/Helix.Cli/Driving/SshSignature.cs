using System.Diagnostics;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;

namespace Helix.Cli.Driving;

/// <summary>Signs an answer with <c>ssh-keygen -Y sign</c>; the key, or its public half when an agent holds it, stays where it is.</summary>
static class SshSignature
{
    /// <exception cref="RunbookException">No such key, or ssh-keygen refuses.</exception>
    public static string Sign(string keyFile, string run, Decided decided) =>
        Sign(keyFile, SignedAnswers.Text(run, decided.Question, decided.Choice, decided.ShownHash ?? ""));

    /// <exception cref="RunbookException">No such key, or ssh-keygen refuses.</exception>
    public static string Sign(string keyFile, string text)
    {
        if (!File.Exists(keyFile))
            throw new RunbookException($"There is no key '{keyFile}'.", "Name a private SSH key, or a public one whose private half the agent holds.");
        using var process = Start(keyFile);
        process.StandardInput.Write(text);
        process.StandardInput.Close();
        var trouble = process.StandardError.ReadToEndAsync();
        var signature = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 && signature.Length > 0
            ? signature
            : throw new RunbookException($"ssh-keygen did not sign with '{keyFile}': {trouble.Result.Trim()}", "Check the key and its passphrase, or load it into the agent.");
    }

    static Process Start(string keyFile)
    {
        var start = new ProcessStartInfo("ssh-keygen") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["-Y", "sign", "-f", keyFile, "-n", SignedAnswers.Namespace])
            start.ArgumentList.Add(argument);
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new RunbookException("There is no ssh-keygen on this machine.", "Install the OpenSSH client.");
        }
    }
}
