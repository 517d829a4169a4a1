using System.Text;

namespace Helix.Runbooks.Steps.Processes;

/// <summary>Keeps the last bytes of a stream, whatever its length.</summary>
sealed class Tail(int limit)
{
    byte[] _bytes = [];
    int _count;
    int _start;

    public bool Cut { get; private set; }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > limit)
        {
            Cut = true;
            bytes = bytes[^limit..];
        }
        Grow(_count + bytes.Length);
        var over = Math.Max(_count + bytes.Length - _bytes.Length, 0);
        Cut |= over > 0;
        var at = (_start + _count) % Math.Max(_bytes.Length, 1);
        var first = Math.Min(bytes.Length, _bytes.Length - at);
        bytes[..first].CopyTo(_bytes.AsSpan(at));
        bytes[first..].CopyTo(_bytes);
        _start = (_start + over) % Math.Max(_bytes.Length, 1);
        _count += bytes.Length - over;
    }

    /// <summary>As text; a character that the cut went through is left out.</summary>
    public override string ToString()
    {
        var bytes = new byte[_count];
        var first = Math.Min(_count, _bytes.Length - _start);
        _bytes.AsSpan(_start, first).CopyTo(bytes);
        _bytes.AsSpan(0, _count - first).CopyTo(bytes.AsSpan(first));
        var from = 0;
        while (Cut && from < Math.Min(4, _count) && (bytes[from] & 0xC0) == 0x80)
            from++;
        return Encoding.UTF8.GetString(bytes, from, _count - from);
    }

    void Grow(int needed)
    {
        if (needed <= _bytes.Length || _bytes.Length == limit)
            return;
        // Nothing was overwritten yet, so the start is still 0.
        Array.Resize(ref _bytes, (int)Math.Min(limit, Math.Max(4096L, Math.Max(needed, _bytes.Length * 2L))));
    }
}
