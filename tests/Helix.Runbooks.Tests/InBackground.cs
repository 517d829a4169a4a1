using System.Runtime.CompilerServices;
using Helix.Runbooks.Steps.Processes;

namespace Helix.Runbooks.Tests;

/// <summary>The tests may be started in the background of a script, where SIGINT is ignored; the processes that they interrupt must not inherit that.</summary>
static class InBackground
{
    [ModuleInitializer]
    internal static void ChildrenHearSignals() => Signals.ResetInChildren();
}
