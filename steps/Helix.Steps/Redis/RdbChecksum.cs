namespace Helix.Steps.Redis;

/// <summary>The CRC-64 at the end of an RDB file (Jones' polynomial, reflected), eight bytes at a time.</summary>
static class RdbChecksum
{
    const ulong Polynomial = 0x95AC9329AC4BC9B5;
    static readonly ulong[][] Tables = MakeTables();

    public static ulong Append(ulong crc, ReadOnlySpan<byte> bytes)
    {
        var t = Tables;
        while (bytes.Length >= 8)
        {
            crc ^= System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            crc = t[7][crc & 0xFF] ^ t[6][(crc >> 8) & 0xFF] ^ t[5][(crc >> 16) & 0xFF] ^ t[4][(crc >> 24) & 0xFF]
                ^ t[3][(crc >> 32) & 0xFF] ^ t[2][(crc >> 40) & 0xFF] ^ t[1][(crc >> 48) & 0xFF] ^ t[0][crc >> 56];
            bytes = bytes[8..];
        }
        foreach (var b in bytes)
            crc = t[0][(crc ^ b) & 0xFF] ^ (crc >> 8);
        return crc;
    }

    static ulong[][] MakeTables()
    {
        var tables = new ulong[8][];
        for (var k = 0; k < 8; k++)
        {
            tables[k] = new ulong[256];
            for (var i = 0; i < 256; i++)
                tables[k][i] = k == 0 ? Byte((ulong)i) : tables[0][tables[k - 1][i] & 0xFF] ^ (tables[k - 1][i] >> 8);
        }
        return tables;
    }

    static ulong Byte(ulong value)
    {
        for (var bit = 0; bit < 8; bit++)
            value = (value & 1) == 1 ? (value >> 1) ^ Polynomial : value >> 1;
        return value;
    }
}
