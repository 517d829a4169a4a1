namespace Helix.Steps.Redis;

/// <summary>Steps over the values of the format, by their type number.</summary>
static class RdbValues
{
    public static void Skip(byte type, RdbBytes bytes)
    {
        switch (type)
        {
            case 0 or 9 or 10 or 11 or 12 or 13 or 16 or 17 or 20 or 23: // one text, plain or packed
                bytes.SkipText();
                break;
            case 1 or 2 or 14:                                           // list, set, quicklist
                Times(bytes.Length(), bytes.SkipText);
                break;
            case 3:
                Times(bytes.Length(), () => SkipScored(bytes));
                break;
            case 4:
                Times(2 * bytes.Length(), bytes.SkipText);
                break;
            case 5:
                Times(bytes.Length(), () => { bytes.SkipText(); bytes.Skip(8); });
                break;
            case 7:
                bytes.SkipLengths(1);
                SkipModule(bytes);
                break;
            case 15 or 19 or 21:
                SkipStream(type, bytes);
                break;
            case 18:
                Times(bytes.Length(), () => { bytes.SkipLengths(1); bytes.SkipText(); });
                break;
            case 22 or 24:                                               // hash whose fields expire
                if (type == 24)
                    bytes.Skip(8);
                Times(bytes.Length(), () => { bytes.SkipLengths(1); bytes.SkipText(); bytes.SkipText(); });
                break;
            case 25:
                bytes.Skip(8);
                bytes.SkipText();
                break;
            default:
                throw new InvalidDataException($"it holds a value of the unknown type {type}.");
        }
    }

    /// <summary>Values that a module wrote: a list of typed fields with an end mark.</summary>
    public static void SkipModule(RdbBytes bytes)
    {
        for (var code = bytes.Length(); code != 0; code = bytes.Length())
            switch (code)
            {
                case 1 or 2: bytes.SkipLengths(1); break;
                case 3: bytes.Skip(4); break;
                case 4: bytes.Skip(8); break;
                case 5: bytes.SkipText(); break;
                default: throw new InvalidDataException($"a module's value has an unknown part {code}.");
            }
    }

    static void SkipScored(RdbBytes bytes)
    {
        bytes.SkipText();
        var length = bytes.Byte();
        if (length < 253) // 253 to 255 stand for not-a-number and the infinities
            bytes.Skip(length);
    }

    static void SkipStream(byte type, RdbBytes bytes)
    {
        Times(2 * bytes.Length(), bytes.SkipText);
        bytes.SkipLengths(type == 15 ? 3 : 8);
        Times(bytes.Length(), () => SkipGroup(type, bytes));
    }

    static void SkipGroup(byte type, RdbBytes bytes)
    {
        bytes.SkipText();
        bytes.SkipLengths(type == 15 ? 2 : 3);
        Times(bytes.Length(), () => { bytes.Skip(24); bytes.SkipLengths(1); });
        Times(bytes.Length(), () =>
        {
            bytes.SkipText();
            bytes.Skip(type == 21 ? 16 : 8);
            bytes.Skip(16 * bytes.Length());
        });
    }

    static void Times(long count, Action skip)
    {
        for (long i = 0; i < count; i++)
            skip();
    }
}
