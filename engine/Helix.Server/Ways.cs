namespace Helix.Server;

/// <summary>The ways on which a run is started at a server, as its record names them.</summary>
static class Ways
{
    public const string Page = "web", Api = "api", Schedule = "schedule", Hook = "hook";

    /// <summary>Runs of these are the server's to go on with; those of a terminal go on only when somebody asks for it.</summary>
    public static readonly string[] All = [Page, Api, Schedule, Hook];
}
