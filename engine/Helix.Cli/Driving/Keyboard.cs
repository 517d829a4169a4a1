namespace Helix.Cli.Driving;

/// <summary>Lines that a person types. A read cannot be called back, so one that nobody waits for any more serves the next question.</summary>
sealed class Keyboard(TextReader reader)
{
    Task<string?>? _pending;

    /// <returns>Null at the end of input, or when <paramref name="over"/> came first.</returns>
    public async Task<string?> Line(Task over)
    {
        _pending ??= Task.Run(reader.ReadLine);
        if (await Task.WhenAny(_pending, over) == over && !_pending.IsCompleted)
            return null;
        var line = await _pending;
        _pending = null;
        return line;
    }
}
