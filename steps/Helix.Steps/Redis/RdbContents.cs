using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Helix.Steps.Redis;

/// <summary>What an RDB file says of itself and how many keys it holds, found by stepping over every value.</summary>
sealed record RdbContents(IReadOnlyDictionary<string, string> Notes, KeyCounts Counts)
{
    /// <param name="file">Behind the header.</param>
    /// <exception cref="InvalidDataException">The file ends early, or holds something unknown.</exception>
    public static RdbContents Read(Stream file, CancellationToken cancelled) => new Reader(new RdbBytes(file), cancelled).ReadAll();

    sealed class Reader(RdbBytes bytes, CancellationToken cancelled)
    {
        readonly Dictionary<string, string> _notes = [];
        readonly SortedDictionary<int, (long Keys, long Expiring)> _databases = [];
        int _database;
        bool _expires;

        public RdbContents ReadAll()
        {
            while (Next())
                cancelled.ThrowIfCancellationRequested();
            return new(_notes, new([.. _databases.Select(d => new DatabaseCount(d.Key, d.Value.Keys, d.Value.Expiring))]));
        }

        bool Next()
        {
            var code = bytes.Byte();
            switch (code)
            {
                case 0xFF: return false;
                case 0xFE: _database = (int)bytes.Length(); break;
                case 0xFD: bytes.Skip(4); _expires = true; break;
                case 0xFC: bytes.Skip(8); _expires = true; break;
                case 0xFB: bytes.SkipLengths(2); break;
                case 0xFA: Note(); break;
                case 0xF9: bytes.Skip(1); break;            // how often it was used
                case 0xF8: bytes.SkipLengths(1); break;     // how long it was idle
                case 0xF7: bytes.SkipLengths(3); RdbValues.SkipModule(bytes); break;
                case 0xF5: bytes.SkipText(); break;         // a function library
                case 0xF4: bytes.SkipLengths(3); break;     // sizes of a cluster slot
                default: Key(code); break;
            }
            return true;
        }

        void Note()
        {
            var name = bytes.Text();
            _notes[name] = bytes.Text();
        }

        void Key(byte type)
        {
            bytes.SkipText();
            RdbValues.Skip(type, bytes);
            var (keys, expiring) = _databases.GetValueOrDefault(_database);
            _databases[_database] = (keys + 1, expiring + (_expires ? 1 : 0));
            _expires = false;
        }
    }
}

/// <summary>The primitives of the format.</summary>
sealed class RdbBytes(Stream file)
{
    readonly byte[] _buffer = new byte[1 << 16];
    int _at, _end;

    public byte Byte()
    {
        if (_at == _end)
            Fill();
        return _buffer[_at++];
    }

    public void Skip(long count)
    {
        var here = (int)Math.Min(count, _end - _at);
        _at += here;
        count -= here;
        if (count == 0)
            return;
        if (count < 0 || count > file.Length - file.Position)
            throw new InvalidDataException("it ends in the middle of a value.");
        file.Position += count;
    }

    public long Length() => Size(Byte(), out var special) is var size && special ? throw new InvalidDataException("a length is missing.") : size;

    public void SkipLengths(int count)
    {
        for (var i = 0; i < count; i++)
            Length();
    }

    public void SkipText()
    {
        var size = Size(Byte(), out var special);
        if (!special)
            Skip(size);
        else if (size == 3)
        {
            var compressed = Length();
            Length();
            Skip(compressed);
        }
        else
            Skip(WidthOf(size));
    }

    public string Text()
    {
        var size = Size(Byte(), out var special);
        if (special)
        {
            long number = 0;
            for (var i = 0; i < WidthOf(size); i++)
                number |= (long)Byte() << (8 * i);
            return number.ToString(CultureInfo.InvariantCulture);
        }
        if (size > 1 << 20)
            throw new InvalidDataException("a note in it is too long.");
        var text = new byte[size];
        for (var i = 0; i < text.Length; i++)
            text[i] = Byte();
        return Encoding.UTF8.GetString(text);
    }

    static int WidthOf(long encoding) => encoding is >= 0 and <= 2 ? 1 << (int)encoding : throw new InvalidDataException("a text has an unknown encoding.");

    long Size(byte first, out bool special)
    {
        special = first >> 6 == 3;
        return (first >> 6) switch
        {
            0 => first & 0x3F,
            1 => (first & 0x3F) << 8 | Byte(),
            2 when first == 0x80 => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
            2 when first == 0x81 => checked((long)BinaryPrimitives.ReadUInt64BigEndian(Take(8))),
            3 => first & 0x3F,
            _ => throw new InvalidDataException("a length has an unknown form."),
        };
    }

    byte[] Take(int count)
    {
        var taken = new byte[count];
        for (var i = 0; i < count; i++)
            taken[i] = Byte();
        return taken;
    }

    void Fill()
    {
        _end = file.Read(_buffer);
        _at = 0;
        if (_end == 0)
            throw new InvalidDataException("it ends too early.");
    }
}
