using System.Runtime.ExceptionServices;

namespace Helix.Runbooks.Journal;

public sealed partial class JournalStore
{
    const int MostTogether = 64;
    readonly Queue<Part> _queue = new();

    /// <summary>As <see cref="Write"/>, but what many write at the same time becomes durable with one fsync. Each part is all or nothing for itself.</summary>
    /// <remarks>Whoever has the lock does the work of those who wait for it: the work must need no lock of its own.</remarks>
    T WriteTogether<T>(Func<T> work)
    {
        if (_dialect.IsShared)
            return Write(work);
        T result = default!;
        var mine = new Part(() => result = work());
        lock (_queue)
            _queue.Enqueue(mine);
        lock (_writing)
            while (!mine.IsDone)
                WriteAll(Waiting());
        mine.Fault?.Throw();
        return result;
    }

    List<Part> Waiting()
    {
        var parts = new List<Part>();
        lock (_queue)
            while (parts.Count < MostTogether && _queue.TryDequeue(out var part))
                parts.Add(part);
        return parts;
    }

    void WriteAll(List<Part> parts)
    {
        try
        {
            Write(() =>
            {
                foreach (var part in parts)
                    Do(part, alone: parts.Count == 1);
                return 0;
            });
        }
        catch (Exception e)
        {
            // The transaction as a whole is not there, and with it no part.
            foreach (var part in parts)
                part.Fault ??= ExceptionDispatchInfo.Capture(e);
        }
        foreach (var part in parts)
            part.IsDone = true;
    }

    void Do(Part part, bool alone)
    {
        if (alone)
        {
            part.Work();
            return;
        }
        _durable.Run("SAVEPOINT part");
        try
        {
            part.Work();
        }
        catch (Exception e) when (e is not StoreLostException)
        {
            _durable.Run("ROLLBACK TO part");
            part.Fault = ExceptionDispatchInfo.Capture(e);
        }
        _durable.Run("RELEASE part");
    }

    sealed class Part(Action work)
    {
        public Action Work { get; } = work;
        public ExceptionDispatchInfo? Fault { get; set; }
        public bool IsDone { get; set; }
    }
}
