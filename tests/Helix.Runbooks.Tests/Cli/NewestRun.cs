using Helix.Runbooks.Journal;

namespace Helix.Runbooks.Tests.Cli;

static class NewestRun
{
    /// <summary>Of a store that a command has written.</summary>
    public static string In(string store)
    {
        using var opened = JournalStore.Open(store, TimeProvider.System);
        return opened.Runs(1)[0].Run;
    }
}
