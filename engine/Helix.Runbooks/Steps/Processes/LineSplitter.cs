using System.Buffers;
using System.Text;

namespace Helix.Runbooks.Steps.Processes;

/// <summary>Cuts bytes into masked lines of text. A line end is LF, CRLF or, for progress bars, CR; longer lines than the limit are split.</summary>
sealed class LineSplitter(Masker masker, Action<string> line)
{
    public const int Longest = 64 * 1024;
    const byte Lf = (byte)'\n', Cr = (byte)'\r';
    static readonly SearchValues<byte> Ends = SearchValues.Create([Lf, Cr]);

    readonly ArrayBufferWriter<byte> _open = new();
    bool _afterCr;

    public void Add(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_afterCr && bytes[0] == Lf)
                bytes = bytes[1..];
            _afterCr = false;
            var end = bytes.IndexOfAny(Ends);
            Keep(end < 0 ? bytes : bytes[..end]);
            if (end < 0)
                return;
            _afterCr = bytes[end] == Cr;
            Finish();
            bytes = bytes[(end + 1)..];
        }
    }

    /// <summary>The last line may have no end.</summary>
    public void End()
    {
        if (_open.WrittenCount > 0)
            Finish();
    }

    void Keep(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var limit = Longest + (masker.Longest * 2);
            var part = Math.Min(Math.Max(limit - _open.WrittenCount, 1), bytes.Length);
            _open.Write(bytes[..part]);
            bytes = bytes[part..];
            if (_open.WrittenCount >= limit)
                Split();
        }
    }

    void Finish()
    {
        line(masker.Mask(Encoding.UTF8.GetString(_open.WrittenSpan)));
        _open.ResetWrittenCount();
    }

    /// <summary>A secret may lie across the cut: the end of the piece, as long as the longest secret, waits for what follows.</summary>
    void Split()
    {
        var written = _open.WrittenSpan;
        var whole = written.Length;
        // Not inside a character of several bytes.
        while (whole > written.Length - 4 && (written[whole - 1] & 0xC0) == 0x80)
            whole--;
        if ((written[whole - 1] & 0xC0) == 0xC0)
            whole--;
        var rest = written[whole..].ToArray();
        var text = masker.Mask(Encoding.UTF8.GetString(written[..whole]));
        var cut = Math.Max(text.Length - masker.Longest, 0);
        line(text[..cut]);
        _open.ResetWrittenCount();
        _open.Write(Encoding.UTF8.GetBytes(text[cut..]));
        _open.Write(rest);
    }
}
