using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using Helix.Runbooks.Tests.Http;

namespace Helix.Server.Tests.Telemetry;

sealed record SeenSpan(string Trace, string Id, string Parent, string Name, ulong Start, ulong End, IReadOnlyDictionary<string, string> Tags, int Status, string Error);

/// <summary>A collector that takes OTLP over HTTP as protobuf and reads of it what the tests ask for.</summary>
sealed class OtlpReceiver : IDisposable
{
    readonly StubListener _listener;

    public OtlpReceiver()
    {
        var port = Ports.Free();
        Url = $"http://127.0.0.1:{port}/";
        _listener = new StubListener(port, async context =>
        {
            Bodies.Enqueue((context.Request.Path, await StubListener.Body(context)));
            await StubListener.Send(context, 200, "", "application/x-protobuf");
        });
    }

    public string Url { get; }
    public ConcurrentQueue<(string Path, byte[] Body)> Bodies { get; } = new();

    /// <summary>All bytes that came, as text to look for what must not be there.</summary>
    public string Everything => string.Concat(Bodies.Select(b => Encoding.UTF8.GetString(b.Body)));

    // ExportTraceServiceRequest 1: ResourceSpans 2: ScopeSpans 2: Span.
    public List<SeenSpan> Spans => [.. Bodies.Where(b => b.Path == "/v1/traces").SelectMany(b => Wire.Within(b.Body, 1, 2, 2)).Select(ReadSpan)];

    // ExportMetricsServiceRequest 1: ResourceMetrics 2: ScopeMetrics 2: Metric, whose 1 is the name, 5 a gauge and 9 a histogram with 1 data points.
    public IEnumerable<(string Name, int Points)> Metrics => Bodies.Where(b => b.Path == "/v1/metrics").SelectMany(b => Wire.Within(b.Body, 1, 2, 2))
        .Select(m => (Wire.Text(m, 1), Wire.Within(m, 5, 1).Concat(Wire.Within(m, 9, 1)).Count()));

    // Resource attributes: ResourceSpans 1: Resource 1: KeyValue.
    public Dictionary<string, string> Resource => Bodies.Where(b => b.Path == "/v1/traces").SelectMany(b => Wire.Within(b.Body, 1, 1, 1)).Select(Pair).DistinctBy(p => p.Key).ToDictionary();

    static SeenSpan ReadSpan(byte[] span)
    {
        var status = Wire.Within(span, 15).FirstOrDefault() ?? [];
        return new SeenSpan(Hex(span, 1), Hex(span, 2), Hex(span, 4), Wire.Text(span, 5), Wire.Number(span, 7), Wire.Number(span, 8), Wire.Within(span, 9).Select(Pair).ToDictionary(), (int)Wire.Number(status, 3), Wire.Text(status, 2));
    }

    static string Hex(byte[] message, int field) => Convert.ToHexStringLower(Wire.Within(message, field).FirstOrDefault() ?? []);

    // KeyValue 1: key 2: AnyValue, whose 1 is text, 2 a flag, 3 a whole number, 4 a number.
    static KeyValuePair<string, string> Pair(byte[] pair) => KeyValuePair.Create(Wire.Text(pair, 1), Wire.Within(pair, 2).Select(v => Wire.Text(v, 1) is { Length: > 0 } text ? text : Wire.Number(v, 3).ToString(System.Globalization.CultureInfo.InvariantCulture)).Single());

    public void Dispose() => _listener.Dispose();
}

/// <summary>The wire format of protobuf: fields by number.</summary>
static class Wire
{
    /// <summary>Messages or bytes at the end of a way of field numbers.</summary>
    public static IEnumerable<byte[]> Within(byte[] message, params int[] way) => way.Length == 0 ? [message]
        : Fields(message).Where(f => f.Field == way[0] && f.Bytes is not null).SelectMany(f => Within(f.Bytes!, way[1..]));

    public static string Text(byte[] message, int field) => Within(message, field).Select(Encoding.UTF8.GetString).FirstOrDefault() ?? "";
    public static ulong Number(byte[] message, int field) => Fields(message).FirstOrDefault(f => f.Field == field).Value;

    static List<(int Field, ulong Value, byte[]? Bytes)> Fields(byte[] message)
    {
        var fields = new List<(int, ulong, byte[]?)>();
        for (var at = 0; at < message.Length;)
        {
            var key = Varint(message, ref at);
            var field = (int)(key >> 3);
            switch (key & 7)
            {
                case 0: fields.Add((field, Varint(message, ref at), null)); break;
                case 1: fields.Add((field, BinaryPrimitives.ReadUInt64LittleEndian(message.AsSpan(at)), null)); at += 8; break;
                case 5: fields.Add((field, BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(at)), null)); at += 4; break;
                default:
                    var length = (int)Varint(message, ref at);
                    fields.Add((field, 0, message[at..(at + length)]));
                    at += length;
                    break;
            }
        }
        return fields;
    }

    static ulong Varint(byte[] message, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var b = message[at++];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
                return value;
        }
    }
}
