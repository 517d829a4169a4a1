namespace Helix.Steps.Backups;

/// <summary>Some stores answer for a while after a write as if it had not been (S3-18): they are asked again, within a bound.</summary>
sealed record LateAnswers(string Place, TimeProvider Time, Action<string> Log)
{
    static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <param name="look">Gives null while what was written does not show.</param>
    /// <returns>Null when it never did.</returns>
    public async Task<T?> Wait<T>(string key, Func<Task<T?>> look, CancellationToken cancelled) where T : class
    {
        var began = Time.GetTimestamp();
        for (var said = false; ; said = true)
        {
            var found = await look();
            if (found is not null || Time.GetElapsedTime(began) >= Bound)
                return found;
            if (!said)
                Log($"{Place} does not show {key} yet; looking again for {Bound.TotalSeconds} s");
            await Task.Delay(Pause, Time, cancelled);
        }
    }
}
