using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;
using Mode = Helix.Runbooks.Plans.Mode;

namespace Helix.Benchmarks.ServerLoad;

/// <summary>Runs that wait for people, made by the engine itself, as a server leaves them.</summary>
static class Fill
{
    public static async Task<TimeSpan> Waiting(Books books, int count)
    {
        var time = TimeProvider.System;
        // In memory: what is measured is how a server does with them, not how fast this disk is.
        var memory = Directory.Exists("/dev/shm") ? Directory.CreateDirectory($"/dev/shm/{Path.GetFileName(books.Folder)}-{System.Environment.ProcessId}").FullName : books.Data;
        var from = time.GetTimestamp();
        using (var store = JournalStore.Open(Path.Combine(memory, "helix.db"), time))
            await Make(books, memory, count, store, time);
        if (memory != books.Data)
        {
            Directory.CreateDirectory(books.Data);
            foreach (var file in Directory.GetFiles(memory))
                File.Copy(file, Path.Combine(books.Data, Path.GetFileName(file)));
            Directory.Delete(memory, recursive: true);
        }
        return time.GetElapsedTime(from);
    }

    static async Task Make(Books books, string data, int count, JournalStore store, TimeProvider time)
    {
        var catalog = new StepCatalog(typeof(Runtime).Assembly);
        var environment = new EnvironmentReader(catalog).ReadFile(Path.Combine(books.Runbooks, "environments/here.yaml")).Value!;
        var runbook = new RunbookReader(catalog).ReadFile(books.PathOf("waits"), environment).Value!;
        var plan = new Planner(catalog).Plan(runbook, environment, [], Mode.Live);
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (i, cancelled) =>
        {
            var engine = new Engine(catalog, store, time, new EngineSettings { DataFolder = data });
            var run = engine.Start(plan, new StartRequest { Run = $"waiting-{i:00000}", Operator = new Person("alice", IdentityStrength.Password, "web"), Trigger = "web", Attended = true });
            await engine.Drive(run, new DriveSettings());
        });
    }
}
