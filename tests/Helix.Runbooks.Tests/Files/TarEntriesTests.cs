using System.Formats.Tar;
using CsCheck;
using Helix.Steps.Files;

namespace Helix.Runbooks.Tests.Files;

public sealed class TarEntriesTests
{
    [Theory]
    [InlineData(TarEntryFormat.Pax)]
    [InlineData(TarEntryFormat.Gnu)]
    [InlineData(TarEntryFormat.Ustar)]
    public void Damage_or_an_early_end_is_data_that_is_invalid_never_another_fault(TarEntryFormat format)
    {
        var whole = Archive(format);
        var harm = Gen.Select(Gen.Int[0, whole.Length - 1], Gen.OneOf(Gen.Byte, Gen.Byte[(byte)'0', (byte)'9']));
        Gen.Select(harm.Array[1, 4], Gen.OneOf(Gen.Const(whole.Length), Gen.Int[1, whole.Length])).Sample((harms, length) =>
        {
            var bytes = (byte[])whole.Clone();
            foreach (var (at, value) in harms)
                bytes[at] = value;
            try
            {
                ReadAll(bytes, length);
            }
            catch (InvalidDataException)
            {
            }
        }, iter: 3000, threads: 1);
    }

    static void ReadAll(byte[] bytes, int length)
    {
        using var reader = new TarReader(new MemoryStream(bytes, 0, length));
        while (reader.Next(CancellationToken.None).AsTask().GetAwaiter().GetResult() is { } entry)
            Assert.NotNull(entry.Name);
    }

    static byte[] Archive(TarEntryFormat format)
    {
        using var to = new MemoryStream();
        using (var tar = new TarWriter(to, format, leaveOpen: true))
        {
            tar.WriteEntry(Of(format, TarEntryType.RegularFile, "a"));
            if (format != TarEntryFormat.Ustar)
                tar.WriteEntry(Of(format, TarEntryType.RegularFile, new string('n', 150)));
            var link = Of(format, TarEntryType.SymbolicLink, "l");
            link.LinkName = "a";
            tar.WriteEntry(link);
        }
        return to.ToArray();
    }

    static TarEntry Of(TarEntryFormat format, TarEntryType type, string name)
    {
        TarEntry entry = format switch
        {
            TarEntryFormat.Pax => new PaxTarEntry(type, name),
            TarEntryFormat.Gnu => new GnuTarEntry(type, name),
            _ => new UstarTarEntry(type, name),
        };
        if (type == TarEntryType.RegularFile)
            entry.DataStream = new MemoryStream("some bytes"u8.ToArray());
        return entry;
    }
}
