using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>The engine's side of a step's context while it runs for real.</summary>
sealed class LiveHost(Drive drive, string path, int attempt, Action alive) : StepHost
{
    readonly ProcessLauncher _launcher = new(new ProcessSettings
    {
        Masker = drive.Masker,
        Log = (stream, line) =>
        {
            alive();
            drive.Logs.Write(path, attempt, stream.ToString().ToLowerInvariant(), line);
        },
        BeforeEffect = drive.Record.CheckLease,
        PidFolder = drive.Folders.Pids,
        Step = path,
        KillNow = drive.Settings.Kill,
        Time = drive.Time,
    });

    public override TimeProvider Time => drive.Time;
    public override void CheckLease() => drive.Record.CheckLease();
    public override Task<string> Reveal(Secret secret, CancellationToken cancelled) => drive.Around.Secrets.Reveal(secret, cancelled);
    public override void Hide(string value) => drive.Masker.Add(value);
    public override Tool Tool(string file, CancellationToken cancelled) => new(_launcher, file, cancelled);

    public override HttpClient Http(HttpSettings settings)
    {
        CheckLease();
        return HttpClients.For(settings, CheckLease);
    }

    public override void Log(string line)
    {
        alive();
        drive.Logs.Write(path, attempt, "engine", drive.Masker.Mask(line));
    }

    public override void Progress(double done, double? total, string unit)
    {
        alive();
        drive.Settings.Progressed?.Invoke(path, done, total, unit);
    }

    public override Task<GivenSecret> AskSecret(SecretRequest request, CancellationToken cancelled)
    {
        Log($"{request.Message}: helix secret {drive.Record.Lease.Run} {request.Name}");
        return drive.Desk.Ask(path, request, alive, cancelled);
    }

    public override Task Save(string key, JsonNode value)
    {
        drive.Record.Append(new StepSaved(path, key, value.DeepClone()));
        return Task.CompletedTask;
    }

    public override JsonNode? Saved(string key) => drive.Record.Read(s => s.Step(path)?.Saved.GetValueOrDefault(key)?.DeepClone());

    public override Task Leave(Residue residue)
    {
        drive.Record.Append(new ResidueLeft(path, residue));
        return Task.CompletedTask;
    }

    public override Task TakeBack(string key)
    {
        if (drive.Record.Read(s => s.Residue.ContainsKey(key)))
            drive.Record.Append(new ResidueTakenBack(path, key));
        return Task.CompletedTask;
    }
}
